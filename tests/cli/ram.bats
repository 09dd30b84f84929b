# Several accounts in one network: AWS RAM, shared transit gateways, subnets and prefix lists.
load helper

SPOKE=111122223333
id() { vpclab "$@" -o text; }

# A transit gateway of the lab's account, and a VPC of the other with a subnet.
hub() {
    T=$(id ec2 create-transit-gateway "$@" --query TransitGateway.TransitGatewayId)
    TA=arn:aws:ec2:us-east-1:123456789012:transit-gateway/$T
}
spoke() {
    V=$(id --as $SPOKE ec2 create-vpc --cidr-block 10.2.0.0/16 --query Vpc.VpcId)
    S=$(id --as $SPOKE ec2 create-subnet --vpc-id "$V" --cidr-block 10.2.1.0/24 --availability-zone us-east-1a --query Subnet.SubnetId)
}
share() { R=$(id ram create-resource-share --name hub --resource-arns "$TA" --principals "$@" --query resourceShare.resourceShareArn); }
invitation() { id --as $SPOKE ram get-resource-share-invitations --query 'resourceShareInvitations[0].resourceShareInvitationArn'; }
accept() { vpclab --as $SPOKE ram accept-resource-share-invitation --resource-share-invitation-arn "$(invitation)" >/dev/null; }
attach() { vpclab --as $SPOKE ec2 create-transit-gateway-vpc-attachment --transit-gateway-id "$T" --vpc-id "$V" --subnet-ids "$S" "$@"; }
attached() { A=$(attach --query TransitGatewayVpcAttachment.TransitGatewayAttachmentId -o text); }
organization() {
    vpclab organizations create-organization >/dev/null
    ROOT=$(id organizations list-roots --query 'Roots[0].Id')
    ORG=$(id organizations describe-organization --query Organization.Arn)
    DEV=$(id organizations create-account --email dev@example.com --account-name dev --query CreateAccountStatus.AccountId)
}

@test "a transit gateway is shared by invitation, and its owner accepts the VPC" {
    hub
    spoke
    wrong 4 InvalidTransitGatewayID.NotFound attach
    wrong 4 "does not share it with $SPOKE" attach
    says '[]' vpclab --as $SPOKE ec2 describe-transit-gateways --query TransitGateways
    share $SPOKE
    says ASSOCIATING vpclab ram get-resource-share-associations --association-type PRINCIPAL
    says PENDING vpclab --as $SPOKE ram get-resource-shares --resource-owner OTHER-ACCOUNTS
    says "$TA" vpclab --as $SPOKE ram list-pending-invitation-resources --resource-share-invitation-arn "$(invitation)"
    wrong 4 InvalidTransitGatewayID.NotFound attach
    accept
    says ASSOCIATED vpclab ram get-resource-share-associations --association-type PRINCIPAL
    says 123456789012 vpclab --as $SPOKE ec2 describe-transit-gateways --transit-gateway-ids "$T" --query 'TransitGateways[].OwnerId'
    says pendingAcceptance attach
    A=$(id ec2 describe-transit-gateway-vpc-attachments --query 'TransitGatewayVpcAttachments[0].TransitGatewayAttachmentId')
    wrong 4 DuplicateTransitGatewayAttachment attach
    # it carries nothing: no interface, no route, no association
    says '[]' vpclab --as $SPOKE ec2 describe-network-interfaces --query NetworkInterfaces
    RT=$(id --as $SPOKE ec2 describe-route-tables --filters "Name=vpc-id,Values=$V" --query 'RouteTables[0].RouteTableId')
    wrong 4 InvalidTransitGatewayID.NotFound vpclab --as $SPOKE ec2 create-route --route-table-id "$RT" --destination-cidr-block 10.1.0.0/16 --transit-gateway-id "$T"
    TR=$(id ec2 describe-transit-gateway-route-tables --query 'TransitGatewayRouteTables[0].TransitGatewayRouteTableId')
    wrong 4 IncorrectState vpclab ec2 create-transit-gateway-route --transit-gateway-route-table-id "$TR" --destination-cidr-block 10.9.0.0/16 --transit-gateway-attachment-id "$A"
    wrong 4 OperationNotPermitted vpclab --as $SPOKE ec2 accept-transit-gateway-vpc-attachment --transit-gateway-attachment-id "$A"
    says available vpclab ec2 accept-transit-gateway-vpc-attachment --transit-gateway-attachment-id "$A"
    wrong 4 IncorrectState vpclab ec2 accept-transit-gateway-vpc-attachment --transit-gateway-attachment-id "$A"
    says "$SPOKE" vpclab --as $SPOKE ec2 describe-network-interfaces --query 'NetworkInterfaces[].OwnerId'
    says "$A" vpclab ec2 get-transit-gateway-route-table-associations --transit-gateway-route-table-id "$TR"
    says true vpclab --as $SPOKE ec2 create-route --route-table-id "$RT" --destination-cidr-block 10.1.0.0/16 --transit-gateway-id "$T"
    # the route tables are the owner's alone
    says '[]' vpclab --as $SPOKE ec2 describe-transit-gateway-route-tables --query TransitGatewayRouteTables
    wrong 4 InvalidRouteTableID.NotFound vpclab --as $SPOKE ec2 search-transit-gateway-routes --transit-gateway-route-table-id "$TR" --filters Name=type,Values=static
    wrong 4 UnauthorizedOperation vpclab --as $SPOKE ec2 create-transit-gateway-route-table --transit-gateway-id "$T"
    wrong 4 UnauthorizedOperation vpclab --as $SPOKE ec2 delete-transit-gateway --transit-gateway-id "$T"
    # unshared, what is attached stays and nothing new is
    vpclab ram disassociate-resource-share --resource-share-arn "$R" --principals $SPOKE >/dev/null
    says '[]' vpclab --as $SPOKE ec2 describe-transit-gateways --query TransitGateways
    says available vpclab --as $SPOKE ec2 describe-transit-gateway-vpc-attachments
    vpclab --as $SPOKE ec2 delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id "$A" >/dev/null
    wrong 4 InvalidTransitGatewayID.NotFound attach
}

@test "attachments are accepted by themselves where the gateway says so, seen by both sides, and rejected" {
    hub --options AutoAcceptSharedAttachments=enable
    spoke
    share $SPOKE
    accept
    attached
    says '"available"' vpclab --as $SPOKE ec2 describe-transit-gateway-attachments --query 'TransitGatewayAttachments[0].State'
    H=$(id ec2 create-vpc --cidr-block 10.1.0.0/16 --query Vpc.VpcId)
    HS=$(id ec2 create-subnet --vpc-id "$H" --cidr-block 10.1.1.0/24 --availability-zone us-east-1a --query Subnet.SubnetId)
    vpclab ec2 create-transit-gateway-vpc-attachment --transit-gateway-id "$T" --vpc-id "$H" --subnet-ids "$HS" >/dev/null
    [ "$(vpclab --as 123456789012 ec2 describe-transit-gateway-vpc-attachments --query 'length(TransitGatewayVpcAttachments)')" = 2 ]
    [ "$(vpclab --as $SPOKE ec2 describe-transit-gateway-vpc-attachments --query 'length(TransitGatewayVpcAttachments)')" = 1 ]
    [ "$(vpclab --as $SPOKE ec2 describe-transit-gateway-attachments --query 'length(TransitGatewayAttachments)')" = 1 ]
    [ "$(vpclab --as 999988887777 ec2 describe-transit-gateway-attachments --query 'length(TransitGatewayAttachments)')" = 0 ]
    says "$SPOKE" vpclab ec2 describe-transit-gateway-attachments --filters "Name=resource-owner-id,Values=$SPOKE" --query 'TransitGatewayAttachments[].ResourceOwnerId'
    wrong 4 OperationNotPermitted vpclab ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id "$A" --options DnsSupport=disable
    says '"disable"' vpclab --as $SPOKE ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id "$A" --options DnsSupport=disable \
        --query TransitGatewayVpcAttachment.Options.DnsSupport
    # the owner may take it away, too
    vpclab ec2 delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id "$A" >/dev/null
    hub
    vpclab ram associate-resource-share --resource-share-arn "$R" --resource-arns "$TA" >/dev/null
    attached
    says rejected vpclab ec2 reject-transit-gateway-vpc-attachment --transit-gateway-attachment-id "$A"
    wrong 4 IncorrectState vpclab ec2 accept-transit-gateway-vpc-attachment --transit-gateway-attachment-id "$A"
    vpclab ec2 delete-transit-gateway --transit-gateway-id "$T" >/dev/null
    vpclab --as $SPOKE ec2 delete-subnet --subnet-id "$S"
    vpclab --as $SPOKE ec2 delete-vpc --vpc-id "$V"
}

@test "inside an organization that shares nobody is invited" {
    organization
    SPOKE=$DEV
    hub
    spoke
    wrong 4 OperationNotPermittedException share "$ORG"
    wrong 4 OperationNotPermittedException vpclab --as dev ram enable-sharing-with-aws-organization
    says true vpclab ram enable-sharing-with-aws-organization
    share "$ORG"
    says '[]' vpclab --as dev ram get-resource-share-invitations --query resourceShareInvitations
    says "$TA" vpclab --as dev ram list-resources --resource-owner OTHER-ACCOUNTS
    says pendingAcceptance attach
    # by unit: only while the account is below it
    OU=$(id organizations create-organizational-unit --parent-id "$ROOT" --name work --query OrganizationalUnit.Arn)
    vpclab ram associate-resource-share --resource-share-arn "$R" --principals "$OU" >/dev/null
    vpclab ram disassociate-resource-share --resource-share-arn "$R" --principals "$ORG" >/dev/null
    says '[]' vpclab --as dev ec2 describe-transit-gateways --query TransitGateways
    vpclab organizations move-account --account-id "$DEV" --source-parent-id "$ROOT" --destination-parent-id "${OU##*/}"
    says "$T" vpclab --as dev ec2 describe-transit-gateways
    # by id, and lost with the membership
    vpclab ram disassociate-resource-share --resource-share-arn "$R" --principals "$OU" >/dev/null
    vpclab ram associate-resource-share --resource-share-arn "$R" --principals "$DEV" >/dev/null
    says '"external": false' vpclab ram list-principals --resource-owner SELF
    says "$T" vpclab --as dev ec2 describe-transit-gateways
    vpclab organizations remove-account-from-organization --account-id "$DEV"
    says '[]' vpclab --as "$DEV" ec2 describe-transit-gateways --query TransitGateways
}

@test "a participant works in a shared subnet, and only there" {
    organization
    V=$(id ec2 create-vpc --cidr-block 10.1.0.0/16 --query Vpc.VpcId)
    S=$(id ec2 create-subnet --vpc-id "$V" --cidr-block 10.1.1.0/24 --query Subnet.SubnetId)
    O=$(id ec2 create-subnet --vpc-id "$V" --cidr-block 10.1.2.0/24 --query Subnet.SubnetId)
    SA=arn:aws:ec2:us-east-1:123456789012:subnet/$S
    wrong 4 InvalidParameterException vpclab ram create-resource-share --name net --resource-arns "$SA" --principals "$DEV"
    vpclab ram enable-sharing-with-aws-organization >/dev/null
    wrong 4 'within your organization' vpclab ram create-resource-share --name net --resource-arns "$SA" --principals 999988887777
    wrong 4 'default subnet' vpclab ram create-resource-share --name net --resource-arns \
        "arn:aws:ec2:us-east-1:123456789012:subnet/$(id ec2 describe-subnets --filters Name=default-for-az,Values=true --query 'Subnets[0].SubnetId')"
    wrong 4 InvalidSubnetID.NotFound vpclab --as dev ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id "$S"
    vpclab ram create-resource-share --name net --resource-arns "$SA" --principals "$DEV" >/dev/null
    says 123456789012 vpclab --as dev ec2 describe-subnets --subnet-ids "$S" --query 'Subnets[].OwnerId'
    says '[]' vpclab --as dev ec2 describe-subnets --filters "Name=subnet-id,Values=$O" --query Subnets
    says "$V" vpclab --as dev ec2 describe-vpcs --vpc-ids "$V"
    [ "$(vpclab --as dev ec2 describe-route-tables --filters "Name=vpc-id,Values=$V" --query 'length(RouteTables)')" = 1 ]
    [ "$(vpclab --as dev ec2 describe-network-acls --filters "Name=vpc-id,Values=$V" --query 'length(NetworkAcls)')" = 1 ]
    says '[]' vpclab --as dev ec2 describe-security-groups --filters "Name=vpc-id,Values=$V" --query SecurityGroups
    # without the owner's tags, and nothing of what the owner does not share
    vpclab ec2 create-tags --resources "$S" --tags Key=team,Value=net
    says '[]' vpclab --as dev ec2 describe-subnets --subnet-ids "$S" --query 'Subnets[0].Tags'
    says '[]' vpclab --as dev ec2 describe-tags --query Tags
    says '[]' vpclab --as dev ec2 describe-security-group-rules --query SecurityGroupRules
    # with a group of its own
    run_one() { vpclab --as dev ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id "$S" "$@"; }
    wrong 4 'default security group' run_one
    wrong 4 InvalidGroup.NotFound run_one --security-group-ids "$(id ec2 describe-security-groups --filters "Name=vpc-id,Values=$V" --query 'SecurityGroups[0].GroupId')"
    G=$(id --as dev ec2 create-security-group --group-name app --description app --vpc-id "$V" --query GroupId)
    says "$DEV" run_one --security-group-ids "$G" --query 'Instances[0].NetworkInterfaces[0].OwnerId'
    I=$(id --as dev ec2 describe-instances --query 'Reservations[0].Instances[0].InstanceId')
    # the owner sees interface and group, and changes neither
    says "$DEV" vpclab --as 123456789012 ec2 describe-network-interfaces --filters "Name=subnet-id,Values=$S" --query 'NetworkInterfaces[].OwnerId'
    says "$G" vpclab --as 123456789012 ec2 describe-security-groups --group-ids "$G"
    says '[]' vpclab --as 123456789012 ec2 describe-instances --query Reservations
    wrong 4 UnauthorizedOperation vpclab --as 123456789012 ec2 delete-security-group --group-id "$G"
    # each logs what is its own, the owner also what is in its VPC
    logs() { vpclab --as "$1" ec2 create-flow-logs --resource-type "$2" --resource-ids "$3" --traffic-type ALL --log-group-name "g$1" --deliver-logs-permission-arn "arn:aws:iam::$1:role/x" --query Unsuccessful; }
    E=$(id --as dev ec2 describe-network-interfaces --query 'NetworkInterfaces[0].NetworkInterfaceId')
    wrong 4 UnauthorizedOperation logs dev Subnet "$S"
    says '[]' logs dev NetworkInterface "$E"
    says '[]' logs 123456789012 NetworkInterface "$E"
    # what stays the owner's
    RT=$(id ec2 describe-route-tables --filters "Name=vpc-id,Values=$V" --query 'RouteTables[0].RouteTableId')
    ACL=$(id ec2 describe-network-acls --filters "Name=vpc-id,Values=$V" --query 'NetworkAcls[0].NetworkAclId')
    wrong 4 UnauthorizedOperation vpclab --as dev ec2 create-route --route-table-id "$RT" --destination-cidr-block 10.9.0.0/16 --instance-id "$I"
    wrong 4 UnauthorizedOperation vpclab --as dev ec2 delete-network-acl-entry --network-acl-id "$ACL" --rule-number 100 --ingress
    wrong 4 UnauthorizedOperation vpclab --as dev ec2 create-subnet --vpc-id "$V" --cidr-block 10.1.3.0/24
    wrong 4 UnauthorizedOperation vpclab --as dev ec2 delete-subnet --subnet-id "$S"
    wrong 4 UnauthorizedOperation vpclab --as dev ec2 delete-vpc --vpc-id "$V"
    wrong 4 InvalidSubnetID.NotFound vpclab --as dev ec2 create-network-interface --subnet-id "$O" --groups "$G"
    wrong 4 DependencyViolation vpclab ec2 delete-subnet --subnet-id "$S"
    # unshared, the instance goes on, and no new one comes
    vpclab ram delete-resource-share --resource-share-arn "$(id ram get-resource-shares --resource-owner SELF --query 'resourceShares[0].resourceShareArn')" >/dev/null
    says running vpclab --as dev ec2 describe-instances --query 'Reservations[].Instances[].State.Name'
    wrong 4 InvalidSubnetID.NotFound run_one --security-group-ids "$G"
    vpclab --as dev ec2 terminate-instances --instance-ids "$I" >/dev/null
}

@test "a managed prefix list of another account" {
    P=$(id ec2 create-managed-prefix-list --prefix-list-name offices --address-family IPv4 --max-entries 4 --entries Cidr=10.9.0.0/16 --query PrefixList.PrefixListId)
    G=$(id --as $SPOKE ec2 create-security-group --group-name app --description app --vpc-id "$(id --as $SPOKE ec2 create-vpc --cidr-block 10.2.0.0/16 --query Vpc.VpcId)" --query GroupId)
    wrong 4 InvalidPrefixListID.NotFound vpclab --as $SPOKE ec2 get-managed-prefix-list-entries --prefix-list-id "$P"
    TA=arn:aws:ec2:us-east-1:123456789012:prefix-list/$P
    share $SPOKE
    accept
    says 123456789012 vpclab --as $SPOKE ec2 describe-managed-prefix-lists --prefix-list-ids "$P" --query 'PrefixLists[].OwnerId'
    says 10.9.0.0/16 vpclab --as $SPOKE ec2 get-managed-prefix-list-entries --prefix-list-id "$P"
    says "$P" vpclab --as $SPOKE ec2 authorize-security-group-ingress --group-id "$G" --ip-permissions "IpProtocol=tcp,FromPort=22,ToPort=22,PrefixListIds=[{PrefixListId=$P}]"
    wrong 4 UnauthorizedOperation vpclab --as $SPOKE ec2 modify-managed-prefix-list --prefix-list-id "$P" --add-entries Cidr=10.8.0.0/16 --current-version 1
    wrong 4 UnauthorizedOperation vpclab --as $SPOKE ec2 delete-managed-prefix-list --prefix-list-id "$P"
}

@test "principals of the other account need their own policies on the shared ARN" {
    hub
    spoke
    vpclab --as $SPOKE iam create-user --user-name bob >/dev/null
    allow() { vpclab --as $SPOKE iam put-user-policy --user-name bob --policy-name p --policy-document "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":[$1],\"Resource\":$2}}"; }
    bob() { vpclab --as arn:aws:iam::$SPOKE:user/bob "$@"; }
    share $SPOKE
    wrong 4 AccessDeniedException bob ram accept-resource-share-invitation --resource-share-invitation-arn "$(invitation)"
    allow '"ram:AcceptResourceShareInvitation"' '"*"'
    says ACCEPTED bob ram accept-resource-share-invitation --resource-share-invitation-arn "$(invitation)"
    attach_bob() { bob ec2 create-transit-gateway-vpc-attachment --transit-gateway-id "$T" --vpc-id "$V" --subnet-ids "$S"; }
    allow '"ec2:CreateTransitGatewayVpcAttachment"' "[\"arn:aws:ec2:*:$SPOKE:*\"]"
    wrong 4 "123456789012:transit-gateway/$T" attach_bob
    allow '"ec2:CreateTransitGatewayVpcAttachment"' "[\"arn:aws:ec2:*:$SPOKE:*\", \"$TA\"]"
    says pendingAcceptance attach_bob
    says ALLOWED vpclab simulate arn:aws:iam::$SPOKE:user/bob ec2:CreateTransitGatewayVpcAttachment "$TA"
    run vpclab simulate arn:aws:iam::$SPOKE:user/bob ec2:DeleteTransitGateway "$TA"
    [ "$status" = 1 ]
    # the keys of RAM's own actions
    vpclab iam create-user --user-name eve >/dev/null
    vpclab iam put-user-policy --user-name eve --policy-name p --policy-document '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ram:*","Resource":"*",
        "Condition":{"StringEqualsIfExists":{"ram:RequestedResourceType":"ec2:TransitGateway","ram:Principal":"111122223333"},"BoolIfExists":{"ram:RequestedAllowsExternalPrincipals":"true"}}}}'
    wrong 4 AccessDeniedException vpclab --as eve ram create-resource-share --name x --no-allow-external-principals
    wrong 4 AccessDeniedException vpclab --as eve ram create-resource-share --name x --allow-external-principals --principals 999988887777
    says ACTIVE vpclab --as eve ram create-resource-share --name x --allow-external-principals --principals 111122223333 --resource-arns "$TA"
    wrong 4 AccessDeniedException vpclab --as eve ram associate-resource-share --resource-share-arn "$R" --resource-arns arn:aws:ec2:us-east-1:123456789012:subnet/subnet-1a2b3c4d
}

@test "shares: update, tags, names, leaving, deleting" {
    hub
    share $SPOKE
    vpclab ram create-resource-share --name empty --tags key=team,value=net --no-allow-external-principals >/dev/null
    says empty vpclab ram get-resource-shares --resource-owner SELF --tag-filters tagKey=team,tagValues=net
    [ "$(vpclab ram get-resource-shares --resource-owner SELF --tag-filters tagKey=team,tagValues=other --query 'length(resourceShares)')" = 0 ]
    [ "$(vpclab ram get-resource-shares --resource-owner SELF --name hub --query 'length(resourceShares)')" = 1 ]
    vpclab ram tag-resource --resource-share-arn "$R" --tags key=team,value=core key=x,value=y
    vpclab ram untag-resource --resource-share-arn "$R" --tag-keys x
    says hub vpclab ram get-resource-shares --resource-owner SELF --tag-filters tagKey=team,tagValues=core --query 'resourceShares[].name'
    says '[]' vpclab ram get-resource-shares --resource-owner SELF --tag-filters tagKey=x --query 'resourceShares'
    wrong 4 resourceShareArn vpclab ram tag-resource --tags key=team,value=core
    wrong 4 OperationNotPermittedException vpclab ram update-resource-share --resource-share-arn "$R" --no-allow-external-principals
    says '"backbone"' vpclab ram update-resource-share --resource-share-arn "$R" --name backbone --query resourceShare.name
    wrong 4 AccessDeniedException vpclab --as $SPOKE ram disassociate-resource-share --resource-share-arn "$R" --principals $SPOKE
    accept
    wrong 4 AccessDeniedException vpclab --as $SPOKE ram delete-resource-share --resource-share-arn "$R"
    says DISASSOCIATED vpclab --as $SPOKE ram disassociate-resource-share --resource-share-arn "$R" --principals $SPOKE
    says '[]' vpclab --as $SPOKE ram list-resources --resource-owner OTHER-ACCOUNTS --query resources
    # invited again, and the share goes: nobody can accept any more
    vpclab ram associate-resource-share --resource-share-arn "$R" --principals $SPOKE >/dev/null
    says true vpclab ram delete-resource-share --resource-share-arn "$R"
    says '"DELETED"' vpclab ram get-resource-shares --resource-owner SELF --resource-share-arns "$R" --query 'resourceShares[0].status'
    I=$(id --as $SPOKE ram get-resource-share-invitations --query 'resourceShareInvitations[1].resourceShareInvitationArn')
    wrong 4 ResourceShareInvitationExpiredException vpclab --as $SPOKE ram accept-resource-share-invitation --resource-share-invitation-arn "$I"
    wrong 4 InvalidStateTransitionException vpclab ram associate-resource-share --resource-share-arn "$R" --resource-arns "$TA"
    # a token makes the same call once
    vpclab ram create-resource-share --name once --client-token t1 >/dev/null
    vpclab ram create-resource-share --name once --client-token t1 >/dev/null
    [ "$(vpclab ram get-resource-shares --resource-owner SELF --name once --query 'length(resourceShares)')" = 1 ]
    wrong 4 IdempotentParameterMismatchException vpclab ram create-resource-share --name twice --client-token t1
    [ "$(vpclab ram get-resource-shares --resource-owner SELF --max-results 1 --query 'length(resourceShares)')" = 1 ]
}

@test "an invitation is rejected, or expires after a week" {
    vpclab clock set 2026-03-01T00:00:00Z >/dev/null
    hub
    share $SPOKE
    says REJECTED vpclab --as $SPOKE ram reject-resource-share-invitation --resource-share-invitation-arn "$(invitation)"
    wrong 4 ResourceShareInvitationAlreadyRejectedException vpclab --as $SPOKE ram accept-resource-share-invitation --resource-share-invitation-arn "$(invitation)"
    vpclab ram associate-resource-share --resource-share-arn "$R" --principals $SPOKE >/dev/null
    I=$(id --as $SPOKE ram get-resource-share-invitations --query 'resourceShareInvitations[1].resourceShareInvitationArn')
    wrong 4 AccessDeniedException vpclab --as 999988887777 ram accept-resource-share-invitation --resource-share-invitation-arn "$I"
    vpclab clock advance 7d >/dev/null
    says EXPIRED vpclab --as $SPOKE ram get-resource-share-invitations
    wrong 4 ResourceShareInvitationExpiredException vpclab --as $SPOKE ram accept-resource-share-invitation --resource-share-invitation-arn "$I"
}

@test "what RAM refuses" {
    hub
    create() { vpclab ram create-resource-share --name x "$@"; }
    wrong 2 name vpclab ram create-resource-share
    wrong 4 InvalidParameterException vpclab ram create-resource-share --name ''
    wrong 4 MalformedArnException create --resource-arns nonsense
    wrong 4 MalformedArnException create --resource-arns ''
    wrong 4 "write it in full: $TA" create --resource-arns "$T"
    wrong 4 'cannot be shared' create --resource-arns arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0
    wrong 4 'cannot be shared' create --resource-arns arn:aws:s3:::bucket
    wrong 4 UnknownResourceException create --resource-arns arn:aws:ec2:us-east-1:123456789012:transit-gateway/tgw-0123456789abcdef0
    wrong 4 OperationNotPermittedException create --resource-arns arn:aws:ec2:us-east-1:111122223333:transit-gateway/"$T"
    wrong 4 'is not in us-east-1' create --resource-arns arn:aws:ec2:eu-west-1:123456789012:transit-gateway/"$T"
    wrong 4 malformed create --principals bob
    wrong 4 malformed create --principals o-1a2b3c4d5e
    wrong 4 malformed create --principals ''
    wrong 4 'cannot be shared with' create --principals arn:aws:iam::111122223333:role/app
    wrong 4 'the account that shares' create --principals 123456789012
    wrong 4 UnknownResourceException create --principals arn:aws:organizations::123456789012:organization/o-1a2b3c4d5e
    wrong 4 UnknownResourceException create --principals arn:aws:organizations::123456789012:ou/o-1a2b3c4d5e/ou-ab12-11111111
    wrong 4 'allows no external principals' create --principals 111122223333 --no-allow-external-principals
    wrong 4 UnsupportedOperation create --permission-arns arn:aws:ram::aws:permission/x
    wrong 4 OperationNotPermittedException vpclab ram enable-sharing-with-aws-organization
    wrong 4 MalformedArnException vpclab ram delete-resource-share --resource-share-arn x
    wrong 4 UnknownResourceException vpclab ram delete-resource-share --resource-share-arn arn:aws:ram:us-east-1:123456789012:resource-share/x
    wrong 4 MalformedArnException vpclab ram accept-resource-share-invitation --resource-share-invitation-arn x
    wrong 4 InvalidResourceTypeException vpclab ram list-resources --resource-owner SELF --resource-type ec2:Instance
    wrong 4 'cannot be given' vpclab ram get-resource-share-associations --association-type PRINCIPAL --resource-arn "$TA"
    wrong 4 InvalidNextTokenException vpclab ram list-resources --resource-owner SELF --next-token x
    share $SPOKE
    wrong 4 neither vpclab ram associate-resource-share --resource-share-arn "$R"
    wrong 4 UnknownResourceException vpclab ram disassociate-resource-share --resource-share-arn "$R" --principals 999988887777
    wrong 4 UnknownResourceException vpclab --region eu-west-1 ram delete-resource-share --resource-share-arn "$R"
    says ec2:TransitGateway vpclab ram list-resource-types
    vpclab ec2 delete-transit-gateway --transit-gateway-id "$T" >/dev/null
    says UNAVAILABLE vpclab ram list-resources --resource-owner SELF
    wrong 4 UnknownResourceException create --resource-arns "$TA"
    says '[]' vpclab ram list-resources --resource-owner OTHER-ACCOUNTS --query resources
    says '[]' vpclab --region eu-west-1 ram list-resources --resource-owner SELF --query resources
}

# Hub and spoke with an instance each, the spoke's attachment waiting.
two_accounts() {
    vpclab -q -f - >/dev/null <<END
tgw = ec2 create-transit-gateway --tag-specifications ResourceType=transit-gateway,Tags=[{Key=Name,Value=hub}]
vpc = ec2 create-vpc --cidr-block 10.1.0.0/16
net = ec2 create-subnet --vpc-id \$vpc --cidr-block 10.1.1.0/24 --availability-zone us-east-1a
ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id \$net --private-ip-address 10.1.1.10 --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=shared}]
ec2 create-transit-gateway-vpc-attachment --transit-gateway-id \$tgw --vpc-id \$vpc --subnet-ids \$net
vpc2 = ec2 create-vpc --cidr-block 10.2.0.0/16 --as $SPOKE
net2 = ec2 create-subnet --vpc-id \$vpc2 --cidr-block 10.2.1.0/24 --availability-zone us-east-1a --as $SPOKE
ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id \$net2 --private-ip-address 10.2.1.10 --as $SPOKE --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=spoke}]
END
    T=$(id ec2 describe-transit-gateways --query 'TransitGateways[0].TransitGatewayId')
    TA=$(id ec2 describe-transit-gateways --query 'TransitGateways[0].TransitGatewayArn')
    V=$(id --as $SPOKE ec2 describe-vpcs --filters Name=cidr,Values=10.2.0.0/16 --query 'Vpcs[0].VpcId')
    S=$(id --as $SPOKE ec2 describe-subnets --filters "Name=vpc-id,Values=$V" --query 'Subnets[0].SubnetId')
    share $SPOKE
    accept
    attached
}

@test "the hints lead from a waiting attachment to packets across the accounts" {
    two_accounts
    run vpclab reach shared spoke tcp/22
    [ "$status" = 1 ]
    [[ "$output" == *"hint: ec2 accept-transit-gateway-vpc-attachment --transit-gateway-attachment-id $A"* ]]
    run vpclab --as $SPOKE reach spoke shared tcp/22
    [[ "$output" == *"accept-transit-gateway-vpc-attachment --transit-gateway-attachment-id $A --as 123456789012"* ]]
    for ((i = 0; i < 8; i++)); do
        vpclab reach spoke shared tcp/22 >"$DIR/out" || true
        grep -q '^hint: ' "$DIR/out" || break
        sed -n 's/^hint: //p' "$DIR/out" >>"$DIR/mends"
        tail -n1 "$DIR/mends" | vpclab -q >/dev/null
    done
    cat "$DIR/mends"
    vpclab reach spoke shared tcp/22
    [ "$(grep -c -- "--as $SPOKE$" "$DIR/mends")" = 1 ] # its route
    # blocked again without the attachment
    vpclab ec2 delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id "$A" >/dev/null
    run vpclab reach spoke shared tcp/22
    [ "$status" = 1 ]
}

@test "a network of two accounts comes back from an export" {
    two_accounts
    vpclab ec2 accept-transit-gateway-vpc-attachment --transit-gateway-attachment-id "$A" >/dev/null
    vpclab export aws "$DIR/out.d" >/dev/null
    says "$T is shared with $SPOKE" vpclab --lab one import aws "$DIR/out.d"
    says "$T" vpclab --lab one --as $SPOKE ec2 describe-transit-gateways --query 'TransitGateways[].[TransitGatewayId,OwnerId]'
    says 123456789012 vpclab --lab one --as $SPOKE ram list-principals --resource-owner OTHER-ACCOUNTS
    vpclab --lab one export aws "$DIR/again" >/dev/null
    diff -r "$DIR/out.d" "$DIR/again"
    says "$SPOKE" vpclab --lab one --as $SPOKE ec2 describe-transit-gateway-vpc-attachments --query 'TransitGatewayVpcAttachments[].VpcOwnerId'
    [ "$(vpclab --lab one --as $SPOKE ec2 describe-transit-gateway-attachments --query 'length(TransitGatewayAttachments)')" = 1 ]
    [ "$(vpclab --lab one --as 123456789012 ec2 describe-transit-gateway-attachments --query 'length(TransitGatewayAttachments)')" = 2 ]
    sorted() { vpclab "$@" ec2 describe-transit-gateway-attachments --query 'sort_by(TransitGatewayAttachments, &ResourceOwnerId)'; }
    diff <(sorted) <(sorted --lab one)
}
