/* cloud/live_services.h - what the services of a live lab ask of IAM and S3 (struct live_hooks); 'context' is the keeper's struct cloud.
 * Used by: live_link.c. */
#pragma once
#include "cloud/cloud.h"
#include "netsim/live/live.h"

const struct network *live_hook_network(void *context);
const char *live_hook_role(void *context, const struct instance *instance);
json_t *live_hook_credentials(void *context, const struct instance *instance);
int64_t live_hook_now(void *context);
void live_hook_identity(void *context, const struct instance *instance, struct live_identity *identity);
void live_hook_s3(void *context, const char *endpoint_id, struct http_exchange *exchange); /* live_s3.c */

#define LIVE_SERVICE_HOOKS \
    .network = live_hook_network, .role = live_hook_role, .credentials = live_hook_credentials, .now_ms = live_hook_now, .s3 = live_hook_s3, \
    .identity = live_hook_identity
