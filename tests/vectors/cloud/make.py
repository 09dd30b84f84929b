#!/usr/bin/env python3
"""Writes the *.jsonl files beside it: what the real aws command line and jmespath do with the inputs listed here.

    python3 tests/vectors/cloud/make.py        needs awscli 1.x, botocore and jmespath

argv.jsonl       {"words": [...], "params": {...}} or {"words", "refused": true}: a command line and the request it becomes
shorthand.jsonl  {"text", "value"} or {"text", "refused": true}
query.jsonl      {"query", "in", "out"} or {"query", "in", "refused": true}
render.jsonl     {"in", "json", "text"}: an answer as `aws --output json` and `--output text` print it
The tests read only the files, so they need no python.
"""
import io
import json
import os
import re
import sys
from collections import OrderedDict

HERE = os.path.dirname(os.path.abspath(__file__))


def write(name, rows):
    with open(os.path.join(HERE, name), "w") as f:
        for row in rows:
            f.write(json.dumps(row, ensure_ascii=False) + "\n")
    print(name, len(rows))


# ---- argv ---------------------------------------------------------------------------------------------------------

ARGV = r"""
ec2 create-vpc --cidr-block 10.0.0.0/16
ec2 create-vpc --cidr-block=10.0.0.0/16 --no-amazon-provided-ipv6-cidr-block --dry-run
ec2 create-vpc --cidr-block 10.0.0.0/16 --amazon-provided-ipv6-cidr-block --instance-tenancy default
ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications ResourceType=vpc,Tags=[{Key=Name,Value=lab},{Key=env,Value=test}]
ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value="my lab, the first"}]'
ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications '[{"ResourceType":"vpc","Tags":[{"Key":"Name","Value":"x"}]}]'
ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications '{"ResourceType":"vpc","Tags":[{"Key":"Name","Value":"x"}]}'
ec2 create-vpc
ec2 create-vpc --cidr-block
ec2 create-vpc --cidr-blok 10.0.0.0/16
ec2 create-vpc 10.0.0.0/16
ec2 create-subnet --vpc-id vpc-1 --cidr-block 10.0.1.0/24 --availability-zone us-east-1a
ec2 create-subnet --cidr-block 10.0.1.0/24
ec2 describe-vpcs
ec2 describe-vpcs --vpc-ids vpc-1 vpc-2 --max-results 5
ec2 describe-vpcs --vpc-ids vpc-1 --vpc-ids vpc-2
ec2 describe-vpcs --vpc-ids '["vpc-1","vpc-2"]'
ec2 describe-vpcs --filters Name=tag:Name,Values=lab
ec2 describe-vpcs --filters Name=tag:Name,Values=lab,other Name=is-default,Values=true
ec2 describe-vpcs --filters 'Name=tag:Name,Values=[lab,other]' Name=state,Values=available
ec2 describe-vpcs --filters Name=cidr,Values=10.0.0.0/16,10.1.0.0/16
ec2 describe-vpcs --filters '[{"Name":"tag:Name","Values":["a","b"]}]'
ec2 describe-vpcs --filters '{"Name":"tag:Name","Values":["a"]}' '{"Name":"state","Values":["available"]}'
ec2 describe-vpcs --filters Name=tag:Name,Value=lab
ec2 describe-vpcs --filters Name=tag:Name Values=lab
ec2 describe-vpcs --filters '[{"Name":'
ec2 describe-vpcs --max-results x
ec2 describe-vpcs --max-results 3
ec2 describe-vpcs --max-results 3000
ec2 describe-vpcs --filters "Name=tag:Name,Values='a b',\"c,d\""
ec2 modify-vpc-attribute --vpc-id vpc-1 --enable-dns-hostnames
ec2 modify-vpc-attribute --vpc-id vpc-1 --no-enable-dns-support
ec2 modify-vpc-attribute --vpc-id vpc-1 --enable-dns-hostnames Value=false
ec2 modify-vpc-attribute --vpc-id vpc-1 --enable-dns-hostnames '{"Value":true}'
ec2 modify-subnet-attribute --subnet-id subnet-1 --map-public-ip-on-launch
ec2 modify-subnet-attribute --subnet-id subnet-1 --no-map-public-ip-on-launch
ec2 describe-vpc-attribute --vpc-id vpc-1 --attribute enableDnsSupport
ec2 create-route --route-table-id rtb-1 --destination-cidr-block 0.0.0.0/0 --gateway-id igw-1
ec2 create-route --route-table-id rtb-1 --destination-ipv6-cidr-block ::/0 --egress-only-internet-gateway-id eigw-1
ec2 create-security-group --group-name web --description 'web servers' --vpc-id vpc-1
ec2 create-security-group --group-name web
ec2 authorize-security-group-ingress --group-id sg-1 --protocol tcp --port 22 --cidr 10.0.0.0/8
ec2 authorize-security-group-ingress --group-id sg-1 --protocol tcp --port 8000-8080 --cidr 0.0.0.0/0
ec2 authorize-security-group-ingress --group-id sg-1 --protocol all --port all --cidr 0.0.0.0/0
ec2 authorize-security-group-ingress --group-id sg-1 --protocol -1 --cidr 0.0.0.0/0
ec2 authorize-security-group-ingress --group-id sg-1 --protocol icmp --port -1 --cidr 0.0.0.0/0
ec2 authorize-security-group-ingress --group-id sg-1 --protocol icmp --port 8-0 --cidr 0.0.0.0/0
ec2 authorize-security-group-ingress --group-id sg-1 --protocol 50 --cidr 0.0.0.0/0
ec2 authorize-security-group-ingress --group-id sg-1 --protocol tcp --port 3306 --source-group sg-2
ec2 authorize-security-group-ingress --group-id sg-1 --protocol tcp --port 3306 --source-group sg-2 --group-owner 111122223333
ec2 authorize-security-group-ingress --group-id sg-1 --protocol tpc --port 22 --cidr 10.0.0.0/8
ec2 authorize-security-group-ingress --group-id sg-1 --protocol tcp --port x --cidr 10.0.0.0/8
ec2 authorize-security-group-ingress --group-id sg-1 --protocol 300 --cidr 10.0.0.0/8
ec2 authorize-security-group-ingress --group-id sg-1 --ip-permissions IpProtocol=tcp,FromPort=443,ToPort=443,IpRanges=[{CidrIp=0.0.0.0/0,Description=all}]
ec2 authorize-security-group-ingress --group-id sg-1 --ip-permissions 'IpProtocol=tcp,FromPort=443,ToPort=443,IpRanges=[{CidrIp=0.0.0.0/0,Description="a, b"}],Ipv6Ranges=[{CidrIpv6=::/0}]' IpProtocol=icmp,FromPort=3,ToPort=4,UserIdGroupPairs=[{GroupId=sg-2}]
ec2 authorize-security-group-ingress --group-id sg-1 --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"PrefixListIds":[{"PrefixListId":"pl-1"}]}]'
ec2 authorize-security-group-ingress --group-id sg-1 --ip-permissions IpProtocol=tcp,FromPort=x,ToPort=443
ec2 authorize-security-group-ingress --group-id sg-1 --ip-permissions IpProtocol=tcp --protocol tcp
ec2 revoke-security-group-egress --group-id sg-1 --protocol -1 --cidr 0.0.0.0/0
ec2 revoke-security-group-ingress --group-id sg-1 --security-group-rule-ids sgr-1 sgr-2
ec2 create-network-acl-entry --network-acl-id acl-1 --ingress --rule-number 100 --protocol tcp --port-range From=443,To=443 --cidr-block 0.0.0.0/0 --rule-action allow
ec2 create-network-acl-entry --network-acl-id acl-1 --egress --rule-number 100 --protocol udp --port-range From=53,To=53 --cidr-block 0.0.0.0/0 --rule-action deny
ec2 create-network-acl-entry --network-acl-id acl-1 --ingress --rule-number 110 --protocol icmp --icmp-type-code Code=-1,Type=8 --cidr-block 0.0.0.0/0 --rule-action allow
ec2 create-network-acl-entry --network-acl-id acl-1 --ingress --rule-number 120 --protocol all --ipv6-cidr-block ::/0 --rule-action allow
ec2 create-network-acl-entry --network-acl-id acl-1 --ingress --rule-number 130 --protocol 6 --port-range From=1,To=2 --cidr-block 0.0.0.0/0 --rule-action allow
ec2 delete-network-acl-entry --network-acl-id acl-1 --ingress --rule-number 100
ec2 delete-network-acl-entry --network-acl-id acl-1 --egress --rule-number 100
ec2 run-instances --image-id ami-1 --instance-type t3.micro --subnet-id subnet-1
ec2 run-instances --image-id ami-1 --count 2 --subnet-id subnet-1 --security-group-ids sg-1 sg-2 --private-ip-address 10.0.1.10
ec2 run-instances --image-id ami-1 --count 1:3
ec2 run-instances --image-id ami-1 --count x
ec2 run-instances --image-id ami-1 --subnet-id subnet-1 --security-group-ids sg-1 --associate-public-ip-address
ec2 run-instances --image-id ami-1 --subnet-id subnet-1 --no-associate-public-ip-address --private-ip-address 10.0.1.10
ec2 run-instances --image-id ami-1 --subnet-id subnet-1 --secondary-private-ip-addresses 10.0.1.11 10.0.1.12
ec2 run-instances --image-id ami-1 --subnet-id subnet-1 --secondary-private-ip-address-count 2
ec2 run-instances --image-id ami-1 --subnet-id subnet-1 --user-data '#!/bin/sh'
ec2 run-instances --image-id ami-1 --network-interfaces DeviceIndex=0,SubnetId=subnet-1,Groups=sg-1,AssociatePublicIpAddress=true
ec2 run-instances --image-id ami-1 --network-interfaces '[{"DeviceIndex":0,"NetworkInterfaceId":"eni-1"}]'
ec2 run-instances --image-id ami-1 --iam-instance-profile Name=app --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=web}]'
ec2 run-instances --image-id ami-1 --network-interfaces DeviceIndex=0,SubnetId=subnet-1,PrivateIpAddresses=[{PrivateIpAddress=10.0.1.5,Primary=true},{PrivateIpAddress=10.0.1.6}]
ec2 run-instances --image-id ami-1 --subnet-id subnet-1 --associate-public-ip-address --ipv6-address-count 1
ec2 describe-instances --instance-ids i-1 i-2 --filters Name=instance-state-name,Values=running,stopped
ec2 terminate-instances --instance-ids i-1
ec2 terminate-instances
ec2 stop-instances --instance-ids i-1 --force
ec2 modify-instance-attribute --instance-id i-1 --no-source-dest-check
ec2 modify-instance-attribute --instance-id i-1 --source-dest-check
ec2 modify-instance-attribute --instance-id i-1 --groups sg-1 sg-2
ec2 modify-instance-attribute --instance-id i-1 --instance-type t3.large
ec2 modify-instance-attribute --instance-id i-1 --instance-type '{"Value":"t3.large"}'
ec2 modify-instance-attribute --instance-id i-1 --instance-type Value=t3.large
ec2 modify-network-interface-attribute --network-interface-id eni-1 --no-source-dest-check
ec2 modify-network-interface-attribute --network-interface-id eni-1 --groups sg-1 sg-2
ec2 modify-network-interface-attribute --network-interface-id eni-1 --description Value=hello
ec2 modify-network-interface-attribute --network-interface-id eni-1 --description 'hello there'
ec2 create-tags --resources vpc-1 subnet-1 --tags Key=Name,Value=x Key=env,Value=
ec2 create-tags --resources vpc-1 --tags 'Key=Name,Value=a b' 'Key=k,Value=a=b'
ec2 create-tags --resources vpc-1 --tags Key=Name
ec2 delete-tags --resources vpc-1 --tags Key=Name
ec2 create-flow-logs --resource-type VPC --resource-ids vpc-1 --traffic-type ALL --log-destination-type s3 --log-destination arn:aws:s3:::b
ec2 create-nat-gateway --subnet-id subnet-1 --allocation-id eipalloc-1 --connectivity-type public
ec2 allocate-address --domain vpc
ec2 associate-address --allocation-id eipalloc-1 --instance-id i-1 --no-allow-reassociation
ec2 create-vpc-endpoint --vpc-id vpc-1 --service-name com.amazonaws.us-east-1.s3 --route-table-ids rtb-1 rtb-2
ec2 create-managed-prefix-list --prefix-list-name x --address-family IPv4 --max-entries 5 --entries Cidr=10.0.0.0/8,Description=all Cidr=192.168.0.0/16
ec2 create-network-insights-path --source i-1 --destination i-2 --protocol tcp --destination-port 443
ec2 create-network-interface --subnet-id subnet-1 --groups sg-1 --private-ip-addresses PrivateIpAddress=10.0.1.7,Primary=true PrivateIpAddress=10.0.1.8,Primary=false
ec2 modify-security-group-rules --group-id sg-1 --security-group-rules SecurityGroupRuleId=sgr-1,SecurityGroupRule={IpProtocol=tcp,FromPort=1,ToPort=2,CidrIpv4=10.0.0.0/8}
ec2 modify-security-group-rules --group-id sg-1 --security-group-rules 'SecurityGroupRuleId=sgr-1,SecurityGroupRule={Description="x y",IpProtocol=-1,CidrIpv4=10.0.0.0/8}'
ec2 create-dhcp-options --dhcp-configurations Key=domain-name-servers,Values=10.2.5.1,10.2.5.2 Key=domain-name,Values=example.com
iam create-user --user-name alice
iam create-user --user-name alice --tags Key=team,Value=red --path /eng/
iam put-user-policy --user-name alice --policy-name p --policy-document '{"Version":"2012-10-17","Statement":[]}'
iam create-role --role-name r --assume-role-policy-document '{"Version":"2012-10-17"}' --max-session-duration 3600
iam create-role --role-name r --assume-role-policy-document '{}' --max-session-duration 10
iam simulate-custom-policy --policy-input-list '{"Version":"2012-10-17","Statement":[]}' --action-names s3:GetObject s3:PutObject
iam simulate-custom-policy --policy-input-list '{}' --action-names s3:GetObject --context-entries ContextKeyName=aws:SourceIp,ContextKeyValues=10.0.0.1,ContextKeyType=ip
iam simulate-custom-policy --policy-input-list '{}' --action-names s3:GetObject --resource-arns arn:aws:s3:::b/k 'arn:aws:s3:::b/*'
iam simulate-principal-policy --policy-source-arn arn:aws:iam::123456789012:user/alice --action-names s3:GetObject
iam attach-user-policy --user-name alice --policy-arn arn:aws:iam::aws:policy/ReadOnlyAccess
iam create-access-key
sts get-caller-identity
sts assume-role --role-arn arn:aws:iam::123456789012:role/r --role-session-name s
sts assume-role --role-arn arn:aws:iam::123456789012:role/r --role-session-name s --tags Key=a,Value=b --transitive-tag-keys a
s3api put-bucket-policy --bucket b --policy '{"Version":"2012-10-17"}'
s3api create-bucket --bucket b --create-bucket-configuration LocationConstraint=eu-west-1
s3api put-public-access-block --bucket b --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=false,RestrictPublicBuckets=true
s3api get-bucket-policy --bucket b
elbv2 create-load-balancer --name lb --subnets subnet-1 subnet-2 --scheme internal
elbv2 register-targets --target-group-arn arn:x --targets Id=i-1 Id=i-2,Port=80
logs create-log-group --log-group-name g --tags a=b,c=d
logs put-log-events --log-group-name g --log-stream-name s --log-events timestamp=1,message=hello
organizations create-policy --content '{}' --description d --name n --type SERVICE_CONTROL_POLICY
accessanalyzer validate-policy --policy-document '{}' --policy-type IDENTITY_POLICY
"""


class Captured(Exception):
    pass


def captured_params(words):
    import awscli.clidriver
    import botocore.client

    box = {}

    def capture(self, api_params, operation_model, *args, **kwargs):
        box["params"] = api_params
        box["model"] = operation_model
        from botocore.validate import ParamValidator
        report = ParamValidator().validate(api_params, operation_model.input_shape) if operation_model.input_shape else None
        box["invalid"] = report and report.has_errors()
        raise Captured()

    original = botocore.client.BaseClient._convert_to_request_dict
    botocore.client.BaseClient._convert_to_request_dict = capture
    stderr, sys.stderr = sys.stderr, io.StringIO()
    stdout, sys.stdout = sys.stdout, io.StringIO()
    try:
        driver = awscli.clidriver.create_clidriver()
        driver.main(words + ["--region", "us-east-1", "--no-paginate"] if "--max-items" not in words else words + ["--region", "us-east-1"])
    except (Captured, SystemExit):
        pass
    finally:
        botocore.client.BaseClient._convert_to_request_dict = original
        sys.stderr, sys.stdout = stderr, stdout
    if "params" not in box or box["invalid"]:
        return None
    params = dict(box["params"])
    model = box["model"]
    for name in model.idempotent_members:
        params.pop(name, None)
    return json.loads(json.dumps(params))


def argv_rows():
    import shlex

    os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="y", AWS_EC2_METADATA_DISABLED="true")
    rows = []
    for line in ARGV.strip().splitlines():
        words = shlex.split(line)
        params = captured_params(words)
        rows.append({"words": words, "refused": True} if params is None else {"words": words, "params": params})
    return rows


# ---- shorthand ----------------------------------------------------------------------------------------------------

SHORTHAND = r"""
a=b
a=b,c=d
a=b,c,d
a=b,c,d=e
a=b,c,d=e,f
a=
a=,b=c
a=b,
a=[b,c],d=e
a=[b]
a=[]
a={b=c}
a={b=c,d=[e,f]},g=h
a={b={c={d=e}}}
a=[{b=c},{b=d}]
a=[[b,c],[d]]
a='b, c',d="e"
a='it\'s'
a="say \"x\""
a= b
a = b , c = d
a.b=c
a-b=c
a:b=c
a#b=c
a/b=c
a=b=c
a=b\,c
a=b\,c,d
a
a=b,a=c
a=[b
a={b=c
a='b
a={b}
a=[b,c]d
a=b]
Key=Name,Value=a b c
Name=tag:Name,Values=x*,?y
a=ümlaut,b=ß
a=[ b , c ]
a={ b = c , d = e }
a={b=c d}
a=[b c,d e]
a=b ,c
Key=a,Value={b=c}
CidrIp=0.0.0.0/0,Description=x y z
CidrIpv6=::/0
"""


def shorthand_rows():
    from awscli.shorthand import ShorthandParser

    rows = []
    for text in SHORTHAND.strip("\n").splitlines():
        try:
            rows.append({"text": text, "value": ShorthandParser().parse(text)})
        except Exception:
            rows.append({"text": text, "refused": True})
    return rows


# ---- query --------------------------------------------------------------------------------------------------------

VPCS = {"Vpcs": [
    {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "IsDefault": True, "Size": 3, "Tags": [{"Key": "Name", "Value": "prod"}, {"Key": "env", "Value": "p"}]},
    {"VpcId": "vpc-2", "CidrBlock": "10.1.0.0/16", "IsDefault": False, "Size": 1, "Tags": [{"Key": "Name", "Value": "dev"}]},
    {"VpcId": "vpc-3", "CidrBlock": "172.31.0.0/16", "IsDefault": False, "Size": 2.5, "Tags": []}],
    "NextToken": None}
FORMS = {"a": {"b": {"c": [1, 2, [3, [4]]]}}, "n": [3, 1, 2], "s": ["b", "a", "c"], "o": {"x": 1, "y": 2}, "e": [], "z": {}, "t": "text ü",
         "m": [{"k": "b", "v": 1}, {"k": "a", "v": 1}, {"k": "c"}], "mixed": [1, "a", True, None], "f": 1.5, "neg": -7, "true": True,
         "q w": 5, "nested": [[1, 2], [3], 4, []], "rows": [{"i": [{"j": 1}, {"j": 2}]}, {"i": [{"j": 3}]}, {}]}
QUERIES = [
    (VPCS, r"""
Vpcs
Vpcs[0]
Vpcs[-1].VpcId
Vpcs[9]
Vpcs[*].VpcId
Vpcs[].VpcId
Vpcs[*].Tags[].Value
Vpcs[*].Tags[*].Value
Vpcs[].Tags[].Value
Vpcs[?IsDefault].VpcId
Vpcs[?!IsDefault].VpcId
Vpcs[?IsDefault==`true`].VpcId
Vpcs[?IsDefault==`false`]|[0].VpcId
Vpcs[?IsDefault == `true` || Size > `2`].[VpcId,Size]
Vpcs[?Size>=`1` && Size<`3`].VpcId
Vpcs[?(Size>=`1` && Size<`3`) || VpcId=='vpc-1'].VpcId
Vpcs[?Tags[?Key=='Name' && Value=='dev']].VpcId
Vpcs[?Tags].VpcId
Vpcs[?VpcId!='vpc-1'].CidrBlock
Vpcs[*].{Id:VpcId,Name:Tags[?Key=='Name']|[0].Value}
Vpcs[*].{Id:VpcId,Name:Tags[?Key==`Name`].Value|[0]}
Vpcs[*].[VpcId,CidrBlock]
Vpcs[0].[VpcId,Tags[0].Value,Nothing]
Vpcs[?starts_with(CidrBlock,'10.')].VpcId
Vpcs[?ends_with(CidrBlock,'/16')]|length(@)
Vpcs[?contains(CidrBlock,'31')].VpcId
Vpcs[?contains(Tags[].Value,'dev')].VpcId
length(Vpcs)
length(Vpcs[?IsDefault])
sort_by(Vpcs,&VpcId)[-1].VpcId
sort_by(Vpcs,&Size)[*].VpcId
reverse(sort_by(Vpcs,&Size))[*].VpcId
max_by(Vpcs,&Size).VpcId
min_by(Vpcs,&Size).VpcId
join(',',Vpcs[].VpcId)
join(', ',sort(Vpcs[].CidrBlock))
keys(Vpcs[0])
values(Vpcs[1].Tags[0])
Vpcs[0].*
Vpcs[0].Tags[].*
Vpcs[*].Size|sum(@)
avg(Vpcs[*].Size)
NextToken
Nothing
Nothing.At.All
Vpcs[].Nothing
Vpcs[1:].VpcId
Vpcs[:2].VpcId
Vpcs[::2].VpcId
Vpcs[::-1].VpcId
Vpcs[-2:].VpcId
Vpcs[*].to_string(Size)
Vpcs[*].type(Size)
Vpcs | [0] | VpcId
Vpcs[0] | keys(@) | length(@)
{a:Vpcs[0].VpcId,"b c":Vpcs[1].VpcId}
[Vpcs[0].VpcId,'lit',`5`]
@
@.Vpcs[0].VpcId
Vpcs[0].not_null(Nothing,VpcId)
map(&VpcId,Vpcs)
merge(Vpcs[0].Tags[0],{Extra:'1'})
Vpcs[?VpcId > 'vpc-1'].VpcId
Vpcs[0
Vpcs[0]]
Vpcs.
.Vpcs
Vpcs[?]
Vpcs[?VpcId='x']
Vpcs[*
foo(
nosuch(Vpcs)
length()
length(Vpcs,Vpcs)
length(Vpcs[0].IsDefault)
sort_by(Vpcs,&Tags)
sort_by(Vpcs,VpcId)
join(Vpcs,',')
Vpcs[0:1:0]
{a}
{a:}
[]
[*].x
*
*[0]
''
'unclosed
`{`
Vpcs[a]
a b
"""),
    (FORMS, r"""
a.b.c
a.b.c[]
a.b.c[][]
a.b.c[2][1][0]
"a"."b"
"q w"
nested[]
nested[*][0]
nested[][]
rows[].i[].j
rows[*].i[*].j
rows[*].i[].j
rows[].i[*].j
n[1:]
n[-1]
n[:-1]
n[5:]
n[-10:2]
n[2:0:-1]
sort(n)
sort(s)
max(n)
min(s)
max(e)
min_by(m,&k).k
sum(n)
sum(e)
avg(e)
avg(n)
abs(neg)
abs(f)
ceil(f)
floor(f)
floor(neg)
length(t)
reverse(t)
reverse(n)
to_array(t)
to_array(n)
to_number('12')
to_number('1.5')
to_number('x')
to_number(n)
to_string(o)
to_string(`"x"`)
to_string(`null`)
type(@)
type(n)
type(f)
type(`null`)
type(`true`)
contains(n,`2`)
contains(n,`2.0`)
contains(t,'ex')
contains(mixed,`true`)
contains(mixed,`null`)
not_null(nope,nada)
not_null(nope,t)
merge(o,{y:`3`,w:`4`})
keys(o)
values(o)
o.*
z.*
e[]
e[*].x
t[]
t[*]
t.x
n.x
o[0]
!e
!z
!t
!n
!`0`
e || t
t && n
nope || e || n
nope && t
`1` == `1.0`
`"1"` == `1`
n == `[3,1,2]`
o == {x:`1`,y:`2`}
f > `1`
neg < `0` && f
'a' == 'a'
'it''s'
'it\'s'
"true"
true
m[?v==`1`].k
m[?k<'b'].k
m[*].v
m[].[k,v]
m[?!v].k
m[?v]|[0]
sort_by(m,&k)[].k
sort_by(m,&v)
map(&v,m)
map(&k,e)
[n[0],s[0]]
[n,s][]
[n,s][1][0]
{x:n[0]}.x
{x:n}.x[1]
(n)[0]
n[0] == `3` && 'yes' || 'no'
nope == `null`
nope != `null`
@.n
n|[0]
n[*]|[0]
nested[0]|[1]
abs(t)
join(n,s)
starts_with(n,'a')
max(mixed)
sort(mixed)
ends_with(t,'ü')
`[1,{"a":2}]`[1].a
`abc`
`"a\`b"`
"a\tb"
a[b]
n[1.5]
n[1,2]
&n
n[?@>`1`]
n[?@>`1`]|[0]
s[?@=='a'||@=='c']
rows[?i[?j==`3`]]
a.*.c
*.b
*.x | [0]
@.*|length(@)
length(@)
a . b . c
a.b . c [ 0 ]
n[ 0 ]
"""),
]


def query_rows():
    import jmespath

    rows = []
    for value, queries in QUERIES:
        for query in queries.strip("\n").splitlines():
            try:
                out = jmespath.compile(query).search(value, jmespath.Options(dict_cls=OrderedDict))
                json.dumps(out)
                rows.append({"query": query, "in": "vpcs" if value is VPCS else "forms", "out": out})
            except Exception:
                rows.append({"query": query, "in": "vpcs" if value is VPCS else "forms", "refused": True})
    return [{"name": "vpcs", "value": VPCS}, {"name": "forms", "value": FORMS}] + rows


# ---- render -------------------------------------------------------------------------------------------------------

ANSWERS = [
    {}, {"a": []}, {"a": {}}, {"a": None}, {"a": ""}, {"a": "x"}, {"a": True, "b": False, "c": 0, "d": -1, "e": 1.5, "f": 1e100, "g": 0.1},
    {"b": 1, "a": 2}, {"Vpcs": []}, VPCS, {"Tags": [{"Key": "Name", "Value": "ü ß 日本"}, {"Key": "q", "Value": "a\"b\\c\nd\te"}]},
    {"L": ["a", "b"]}, {"L": [1, 2, 3]}, {"L": [["a", "b"], ["c"]]}, {"L": ["x", ["a", "b"]]}, {"L": [{"a": 1}, {"b": 2}, {"a": 3, "b": 4}]},
    {"L": [{"a": {"b": 1}}, {"a": {"b": 2}}]}, {"Deep": {"Er": {"List": [{"X": 1, "Y": [{"Z": "z"}]}]}}}, {"E": {"F": []}, "G": "h"},
    {"Reservations": [{"Groups": [], "Instances": [{"InstanceId": "i-1", "State": {"Code": 16, "Name": "running"},
     "NetworkInterfaces": [{"PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": "10.0.0.5"}]}]}], "OwnerId": "1"}]},
    [], ["a", "b"], [["a", 1], ["b", 2]], [["a", None], ["b", True]], "text", 5, None, True, [{"a": 1}], [[]], [{}], {"a": [None, True]},
    [[1, [2, 3]], [4]], [{"a": 1, "b": [1, 2]}, {"b": [3]}], "",  {"é": 1, "Z": 2, "a": 3},
]


def render_rows():
    from argparse import Namespace
    from awscli.formatter import get_formatter

    rows = []
    for answer in ANSWERS:
        row = {"in": answer}
        for form in ("json", "text"):
            out = io.StringIO()
            value = json.loads(json.dumps(answer))
            if isinstance(value, dict):
                get_formatter(form, Namespace(query=None, color="off"))("x", value, out)
            else:  # what --query leaves
                query = Namespace(search=lambda _, v=value: v)
                get_formatter(form, Namespace(query=query, color="off"))("x", {"k": 1}, out)
            row[form] = out.getvalue()
        rows.append(row)
    return rows


if __name__ == "__main__":
    write("shorthand.jsonl", shorthand_rows())
    write("query.jsonl", query_rows())
    write("render.jsonl", render_rows())
    write("argv.jsonl", argv_rows())
