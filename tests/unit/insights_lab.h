/* tests/unit/insights_lab.h - a lab for questions in AWS's words: VPC main 10.0.0.0/16 with the internet gateway igw; subnet pub: web (public)
 * and the NAT gateway nat; subnet priv, zone b: app, which goes out by nat.  VPC apart 10.9.0.0/16, joined to nothing: lone. */
#pragma once
#include "tests/test.h"
#include "tests/unit/lab_story.h"

#define NAMED(type, name) " --tag-specifications ResourceType=" type ",Tags=[{Key=Name,Value=" name "}]"
#define RUN               "ec2 run-instances --image-id ami-12345678 "

static struct cloud *
insights_lab(void)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud, "%s", err.text);
    static const struct step base[] = {
        { "ec2 create-vpc --cidr-block 10.0.0.0/16" NAMED("vpc", "main"), "", "" },
        { "ec2 create-subnet --vpc-id main --cidr-block 10.0.1.0/24 --availability-zone us-east-1a" NAMED("subnet",
                                                                                                         "pub"),
          "", "" },
        { "ec2 create-subnet --vpc-id main --cidr-block 10.0.2.0/24 --availability-zone us-east-1b" NAMED("subnet",
                                                                                                         "priv"),
          "", "" },
        { "ec2 create-internet-gateway" NAMED("internet-gateway", "igw"), "", "" },
        { "ec2 create-internet-gateway" NAMED("internet-gateway", "loose"), "", "" },
        { "ec2 attach-internet-gateway --internet-gateway-id igw --vpc-id main", "", "" },
        { "ec2 create-route-table --vpc-id main" NAMED("route-table", "rtb-pub"), "", "" },
        { "ec2 create-route-table --vpc-id main" NAMED("route-table", "rtb-priv"), "", "" },
        { "ec2 associate-route-table --route-table-id rtb-pub --subnet-id pub", "", "" },
        { "ec2 associate-route-table --route-table-id rtb-priv --subnet-id priv", "", "" },
        { "ec2 create-route --route-table-id rtb-pub --destination-cidr-block 0.0.0.0/0 --gateway-id igw", "", "" },
        { "ec2 create-nat-gateway --connectivity-type private --subnet-id pub" NAMED("natgateway", "inner"), "", "" },
        { "ec2 create-security-group --group-name open --description x --vpc-id main", "", "" },
        { "ec2 authorize-security-group-ingress --group-id open --protocol tcp --port 443 --cidr 0.0.0.0/0", "", "" },
        { "ec2 allocate-address" NAMED("elastic-ip", "eip"), "", "" },
        { "ec2 create-nat-gateway --subnet-id pub --allocation-id eip" NAMED("natgateway", "nat"), "", "" },
        { "ec2 create-route --route-table-id rtb-priv --destination-cidr-block 0.0.0.0/0 --nat-gateway-id nat", "", "" },
        { RUN "--subnet-id pub --security-group-ids open --associate-public-ip-address" NAMED("instance", "web"), "",
          "" },
        { RUN "--subnet-id priv --security-group-ids open" NAMED("instance", "app"), "", "" },
        { "ec2 create-vpc --cidr-block 10.9.0.0/16" NAMED("vpc", "apart"), "", "" },
        { "ec2 create-subnet --vpc-id apart --cidr-block 10.9.1.0/24" NAMED("subnet", "a1"), "", "" },
        { RUN "--subnet-id a1" NAMED("instance", "lone"), "", "" },
    };
    TELL(cloud, base);
    return cloud;
}
