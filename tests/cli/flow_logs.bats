#!/usr/bin/env bats
# The lab's clock, flow logs without a live lab, and what reads records from elsewhere.
load helper

@test "the clock: shown, set, advanced, refused" {
    says "Z" vpclab clock
    says "2026-01-02T03:04:05.000Z, standing still" vpclab clock set 2026-01-02T03:04:05Z --still
    says "2026-01-02T03:14:05.000Z, standing still" vpclab clock advance 10m
    says "2026-01-02T03:14:05.000Z" vpclab clock
    wrong 2 "is not a span of time" vpclab clock advance soon
    wrong 2 "is not a span of time" vpclab clock advance ""
    wrong 2 "is not a time" vpclab clock set yesterday
    says "Z" vpclab clock set now
    says "s ahead of the machine's clock" vpclab clock advance 2h
}
