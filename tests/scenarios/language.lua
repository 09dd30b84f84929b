-- What a scenario can rely on: names in both spellings, answers as tables, errors that can be caught, the same ids.

lab.title "names"
local a = ec2.create_vpc{ CidrBlock = "10.1.0.0/16" }
local b = ec2.create_vpc{ cidr_block = "10.2.0.0/16", tag_specifications = {
    { resource_type = "vpc", tags = { { key = "Name", value = "second" } } } } }
print(a.Vpc.CidrBlock, b.Vpc.Tags[1].Value, a.Vpc.VpcId ~= b.Vpc.VpcId)
-- A Name tag stands for the id, and one value for a list.
print(ec2.describe_vpcs{ vpc_ids = "second" }.Vpcs[1].VpcId == b.Vpc.VpcId)
print(#ec2.describe_vpcs().Vpcs, #ec2.describe_vpcs{ vpc_ids = {} }.Vpcs)

lab.title "answers"
local found = ec2.describe_vpcs{ filters = { { name = "cidr", values = { "10.9.0.0/16" } } } }
print(found, #found.Vpcs)
lab.show{ a = { 1, 2.5, true }, b = "text" }
lab.show(ec2.describe_availability_zones{ zone_names = { "us-east-1a" } }, "text")

lab.title "yes and no"
print(lab.yes(lab.reach("internet", "10.1.0.10", { port = 22 })))
print(lab.yes(lab.reach{ "internet", "10.1.0.10", port = 22 }))
print(lab.yes(lab.reach{ source = "internet", destination = "10.1.0.10", port = 22 }))
print(lab.yes(ec2.describe_vpcs()))

lab.title "errors"
local ok, e = pcall(ec2.create_subnet, { vpc_id = "second", cidr_block = "10.1.0.0/24" })
print(ok, e.code)
local function outside() ec2.delete_vpc{ vpc_id = "vpc-0123456789abcdef0" } end
ok, e = pcall(outside)
print(ok, e.code, e.place)
print(tostring(e))
ok, e = pcall(ec2.create_vpc, { cidr_blok = "10.0.0.0/16" })
print(tostring(e))
ok, e = pcall(ec2.create_vpc, { cidr_block = print })
print(tostring(e))
ok, e = pcall(lab.reach, "a", "b", "c", "d")
print(tostring(e))
ok, e = pcall(function() return ec2.create_vpcs end)
print(e)

lab.title "expectations"
lab.expect_error("InvalidVpcID.NotFound", ec2.delete_vpc, { vpc_id = "vpc-0123456789abcdef0" })
lab.expect_blocked{ source = "internet", destination = "10.1.0.10", port = 22 }

lab.title "seed"
lab.seed(7)
print(ec2.create_vpc{ cidr_block = "10.3.0.0/16" }.Vpc.VpcId)
