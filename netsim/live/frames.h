/* netsim/live/frames.h - packet sockets as the lab's own threads use them: whole IP packets in and out, checksums complete.
 *
 * They work on links that cut packets of several segments before they carry them (nlq_end 'single').   Used by: gwlb.c, nat64_carrier.c */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FRAMES_BUFFER_SIZE (16 + 14 + 65536) /* room for what the kernel says of a frame, the frame's head and a packet */

/* In the namespace the calling thread is in; 'link' 0: all of them.  -1: errno says why. */
int frames_open(uint32_t link);
/* The next IP packet that came in, for this machine or a neighbour on the wire: it lies in 'buffer' (of FRAMES_BUFFER_SIZE), '*size' 0: something else came that nobody needs.  False: nothing waits. */
bool frames_take(int fd, uint8_t *buffer, uint32_t *link, uint8_t **packet, size_t *size);
/* What a full queue does not take is lost, as on any wire. */
void frames_send(int fd, uint32_t link, const uint8_t mac[6], const uint8_t *packet, size_t size);
