#!/usr/bin/env -S vpclab run
-- Three tiers: a public web server, a private application with a NAT gateway, an isolated database.
--
-- It builds the network and the access rules, asks what may reach what and why, builds the same network in the kernel,
-- sends real packets, reads the flow log, breaks one rule and asks again.  Everything happens in a throw-away lab.

local function named(kind, name)
    return { { resource_type = kind, tags = { { key = "Name", value = name } } } }
end

lab.title "1. Build: a VPC with three subnets"

local vpc = ec2.create_vpc{ cidr_block = "10.0.0.0/16", tag_specifications = named("vpc", "shop") }.Vpc.VpcId

local function subnet(name, block)
    return ec2.create_subnet{ vpc_id = vpc, cidr_block = block, availability_zone = "us-east-1a",
        tag_specifications = named("subnet", name) }.Subnet.SubnetId
end
local public = subnet("public", "10.0.1.0/24")
local private = subnet("private", "10.0.2.0/24")
local data = subnet("data", "10.0.3.0/24")

-- The way out: an internet gateway for the public subnet, a NAT gateway for the private one, none for the data.
local igw = ec2.create_internet_gateway{}.InternetGateway.InternetGatewayId
ec2.attach_internet_gateway{ internet_gateway_id = igw, vpc_id = vpc }
local nat_address = ec2.allocate_address{ domain = "vpc" }
local nat = ec2.create_nat_gateway{ subnet_id = public, allocation_id = nat_address.AllocationId,
    tag_specifications = named("natgateway", "nat") }.NatGateway.NatGatewayId

local function route_table(name, of, target)
    local id = ec2.create_route_table{ vpc_id = vpc, tag_specifications = named("route-table", name) }.RouteTable.RouteTableId
    ec2.associate_route_table{ route_table_id = id, subnet_id = of }
    if target then
        target.route_table_id, target.destination_cidr_block = id, "0.0.0.0/0"
        ec2.create_route(target)
    end
end
route_table("public", public, { gateway_id = igw })
route_table("private", private, { nat_gateway_id = nat })
route_table("data", data)

-- Each tier admits only the tier before it: the rules name security groups, not addresses.
local function group(name, port, from)
    local id = ec2.create_security_group{ vpc_id = vpc, group_name = name, description = name .. " tier" }.GroupId
    local permission = { ip_protocol = "tcp", from_port = port, to_port = port }
    if from then
        permission.user_id_group_pairs = { { group_id = from } }
    else
        permission.ip_ranges = { { cidr_ip = "0.0.0.0/0" } }
    end
    ec2.authorize_security_group_ingress{ group_id = id, ip_permissions = { permission } }
    return id
end
local web_group = group("web", 443)
local app_group = group("app", 8080, web_group)
local db_group = group("db", 5432, app_group)

-- The data subnet has a network ACL too.  ACLs keep no state: the answers need a rule of their own.
local acl = ec2.create_network_acl{ vpc_id = vpc, tag_specifications = named("network-acl", "data") }.NetworkAcl.NetworkAclId
local function acl_rule(egress, from, to)
    ec2.create_network_acl_entry{ network_acl_id = acl, rule_number = 100, protocol = "6", rule_action = "allow",
        egress = egress, cidr_block = "10.0.2.0/24", port_range = { from = from, to = to } }
end
acl_rule(false, 5432, 5432)
acl_rule(true, 1024, 65535)
local now = ec2.describe_network_acls{ filters = { { name = "association.subnet-id", values = { data } } } }.NetworkAcls[1]
for _, association in ipairs(now.Associations) do
    if association.SubnetId == data then
        ec2.replace_network_acl_association{ association_id = association.NetworkAclAssociationId, network_acl_id = acl }
    end
end

local function instance(name, of, address, in_group)
    return ec2.run_instances{ image_id = "ami-0abcdef1234567890", instance_type = "t3.micro", min_count = 1, max_count = 1,
        subnet_id = of, private_ip_address = address, security_group_ids = { in_group },
        tag_specifications = named("instance", name) }.Instances[1].InstanceId
end
local web = instance("web", public, "10.0.1.10", web_group)
local app = instance("app", private, "10.0.2.10", app_group)
local db = instance("db", data, "10.0.3.10", db_group)
local web_address = ec2.allocate_address{ domain = "vpc" }
ec2.associate_address{ allocation_id = web_address.AllocationId, instance_id = web }

print("  tier   subnet   instance       way out")
print(("  web    public   %-13s  internet gateway, %s"):format("10.0.1.10", web_address.PublicIp))
print(("  app    private  %-13s  NAT gateway, %s"):format("10.0.2.10", nat_address.PublicIp))
print(("  data   data     %-13s  none; network ACL admits the app tier only"):format("10.0.3.10"))

lab.title "2. Ask: what may reach what?"

local function check_all()
    lab.expect_reachable{ source = "internet", destination = "web", port = 443 }
    lab.expect_blocked{ source = "internet", destination = "web", port = 22 }
    lab.expect_reachable{ source = "web", destination = "app", port = 8080 }
    lab.expect_reachable{ source = "app", destination = "db", port = 5432 }
    lab.expect_blocked{ source = "web", destination = "db", port = 5432 }
    lab.expect_reachable{ source = "app", destination = "internet", port = 443 }
    lab.expect_blocked{ source = "db", destination = "internet", port = 443 }
end
check_all()

print("\nWhy may the web server not open the database?\n")
print(lab.reach{ source = "web", destination = "db", port = 5432 })

lab.title "3. The same network in the kernel, with real packets"

ec2.create_flow_logs{ resource_type = "VPC", resource_ids = { vpc }, traffic_type = "ALL",
    log_destination_type = "cloud-watch-logs", log_group_name = "shop",
    deliver_logs_permission_arn = "arn:aws:iam::123456789012:role/flow-logs", max_aggregation_interval = 60 }
print(lab.up())
print("\nThe web server is a shell away: vpclab exec web -- ip -br addr show eth0")
lab.exec("web", "ip", "-br", "addr", "show", "eth0")
print()
check_all()

lab.title "4. The flow log: who knocked at the database's port?"

local fields = { "version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets",
    "bytes", "start", "end", "action", "log-status" }
local function record(r)
    local values = {}
    for i, field in ipairs(fields) do
        values[i] = tostring(r[field])
    end
    return table.concat(values, " ")
end
for _, log in ipairs(lab.flows{ "db", dst_port = 5432 }.FlowLogs) do
    for _, r in ipairs(log.Records) do
        print(record(r))
    end
end

lab.title "5. Every pair, on the ports that the rules name and one that they do not"

print(lab.verify())

lab.title "6. Access: a role for the application, a policy on its bucket"

iam.create_role{ role_name = "shop-app", assume_role_policy_document = [[{
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
}]] }
iam.put_role_policy{ role_name = "shop-app", policy_name = "pictures", policy_document = [[{
    "Version": "2012-10-17",
    "Statement": [{
        "Sid": "ReadPictures",
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::shop-pictures/*"
    }]
}]] }
s3api.create_bucket{ bucket = "shop-pictures" }
s3api.put_bucket_policy{ bucket = "shop-pictures", policy = [[{
    "Version": "2012-10-17",
    "Statement": [{
        "Sid": "OnlyOverTLS",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::shop-pictures/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}
    }]
}]] }

local function ask(tls)
    return lab.simulate{ "shop-app", "s3:GetObject", "shop-pictures/cat.jpg", context = { "aws:SecureTransport=" .. tls } }
end
print(ask("true"))
print()
print(ask("false"))

lab.title "7. Break one rule: the database no longer admits the app tier"

local rule = { { ip_protocol = "tcp", from_port = 5432, to_port = 5432, user_id_group_pairs = { { group_id = app_group } } } }
ec2.revoke_security_group_ingress{ group_id = db_group, ip_permissions = rule }
lab.expect_blocked{ source = "app", destination = "db", port = 5432 }
print("and back again:")
ec2.authorize_security_group_ingress{ group_id = db_group, ip_permissions = rule }
lab.expect_reachable{ source = "app", destination = "db", port = 5432 }

lab.title "8. Take it down"

print(lab.down())
