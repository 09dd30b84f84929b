/* netsim/analysis/insights.h - a network insights path, analysed: reach() with what AWS's question can fix beside the packet, which is the
 * header at either end, and components that the path must have or must not have.
 *
 * Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInsightsPath.html, API_StartNetworkInsightsAnalysis,
 * https://docs.aws.amazon.com/vpc/latest/reachability/explanation-codes.html
 * Uses: reach.h, question.h.   Used by: cloud/ops_ec2_insights.c. */
#pragma once
#include "netsim/analysis/reach.h"

struct header_filter { /* of one end; what is absent does not matter */
    struct ip src, dst;                       /* IP_NONE: any */
    int src_from, src_to, dst_from, dst_to;   /* -1: any port */
};
#define HEADER_FILTER_ANY { .src_from = -1, .src_to = -1, .dst_from = -1, .dst_to = -1 }

struct insights_question {
    struct flow_spec flow; /* tcp or udp; without a port any that gets through */
    struct header_filter at_source, at_destination;
    const json_t *through, *avoid; /* arrays of ARNs or ids; NULL: none */
};

/* Fills 'result' as reach() does; its 'explanations' also say which filter left no path.  Never fails: an end that is not there, that
 * AWS's analyzer does not take, or that has no address is an Explanation (NO_SOURCE_OR_DESTINATION, UNSUPPORTED_COMPONENT,
 * UNASSOCIATED_COMPONENT), as in AWS. */
void insights_analyze(const struct network *net, const struct insights_question *question, struct reach_result *result);

/* The last part of an ARN, or the text itself: "igw-0a". */
const char *id_of_arn(const char *text);
