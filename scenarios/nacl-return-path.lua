#!/usr/bin/env -S vpclab run
-- The request arrives and the page never loads: a network ACL keeps no state.
--
-- A client and a server in two subnets, over IPv4 and IPv6.  The server's ACL admits HTTPS and forgets the answers.

local function named(kind, name)
    return { { resource_type = kind, tags = { { key = "Name", value = name } } } }
end

lab.title "A client, a server, and an ACL that admits port 443"

local vpc = ec2.create_vpc{ cidr_block = "10.0.0.0/16", amazon_provided_ipv6_cidr_block = true }.Vpc.VpcId
local block = ec2.describe_vpcs{ vpc_ids = { vpc } }.Vpcs[1].Ipv6CidrBlockAssociationSet[1].Ipv6CidrBlock
local function nth_64(n) -- of the /56, whose fourth part may be left out because it is 0
    local head = block:match("^(.*)::/56$")
    local _, parts = head:gsub("%x+", "")
    return parts < 4 and ("%s:%x::/64"):format(head, n) or ("%s%02x::/64"):format(head:sub(1, -3), n)
end
local function subnet(name, v4, number)
    local v6 = nth_64(number)
    return ec2.create_subnet{ vpc_id = vpc, cidr_block = v4, ipv6_cidr_block = v6, availability_zone = "us-east-1a",
        tag_specifications = named("subnet", name) }.Subnet.SubnetId
end
local clients, servers = subnet("clients", "10.0.1.0/24", 1), subnet("servers", "10.0.2.0/24", 2)

local group = ec2.create_security_group{ vpc_id = vpc, group_name = "https", description = "HTTPS from inside" }.GroupId
ec2.authorize_security_group_ingress{ group_id = group, ip_permissions = { { ip_protocol = "tcp", from_port = 443, to_port = 443,
    user_id_group_pairs = { { group_id = group } } } } }

for _, at in ipairs{ { "client", clients, "10.0.1.10" }, { "server", servers, "10.0.2.10" } } do
    ec2.run_instances{ image_id = "ami-0abcdef1234567890", instance_type = "t3.micro", min_count = 1, max_count = 1,
        subnet_id = at[2], private_ip_address = at[3], ipv6_address_count = 1, security_group_ids = { group },
        tag_specifications = named("instance", at[1]) }
end

local acl = ec2.create_network_acl{ vpc_id = vpc, tag_specifications = named("network-acl", "servers") }.NetworkAcl.NetworkAclId
local function allow(direction, number, family, from, to)
    local entry = { network_acl_id = acl, rule_number = number, protocol = "6", rule_action = "allow", egress = direction == "out",
        port_range = { from = from, to = to } }
    entry[family == 4 and "cidr_block" or "ipv6_cidr_block"] = family == 4 and "0.0.0.0/0" or "::/0"
    ec2.create_network_acl_entry(entry)
end
local now = ec2.describe_network_acls{ filters = { { name = "association.subnet-id", values = { servers } } } }.NetworkAcls[1]
for _, association in ipairs(now.Associations) do
    if association.SubnetId == servers then
        ec2.replace_network_acl_association{ association_id = association.NetworkAclAssociationId, network_acl_id = acl }
    end
end
allow("in", 100, 4, 443, 443)

lab.up()
lab.expect_blocked{ source = "client", destination = "server", port = 443 }
print()
print(lab.reach{ source = "client", destination = "server", port = 443 })

lab.title "The answers go to the client's ephemeral port: allow 1024-65535 out"

allow("out", 100, 4, 1024, 65535)
lab.expect_reachable{ source = "client", destination = "server", port = 443 }

lab.title "IPv6 has rules of its own: 0.0.0.0/0 does not speak for ::/0"

lab.expect_blocked{ source = "client", destination = "server", port = 443, ipv6 = true }
allow("in", 110, 6, 443, 443)
allow("out", 110, 6, 1024, 65535)
lab.expect_reachable{ source = "client", destination = "server", port = 443, ipv6 = true }

lab.title "Every pair, every rule, both families"

print(lab.verify())

lab.down()
