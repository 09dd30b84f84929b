#include "cloud/certificates.h"

#include "netsim/model/certificate.h"

bool
cloud_authority(struct cloud *cloud, struct pem_pair *out, struct err *err)
{
    const struct authority *authority = network_authority(cloud->net);
    if (!authority) {
        struct pem_pair made;
        if (!authority_make(&made, err)) {
            pem_pair_done(&made);
            return false;
        }
        authority = network_set_authority(cloud->net, made.certificate, made.key);
        pem_pair_done(&made);
    }
    *out = (struct pem_pair){ .certificate = authority->pem, .key = authority->key };
    return true;
}
