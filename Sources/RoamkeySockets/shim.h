// The Linux socket calls that Swift's Glibc module lacks, because it is built without _GNU_SOURCE.
//
// Header only: no C file is compiled. Functions are bound to libc's symbols by name, and structures that glibc hides
// are mirrored under names of our own, so that nothing clashes should a build define _GNU_SOURCE. Only RoamkeyUDP
// sees it.
#ifndef ROAMKEY_SOCKETS_H
#define ROAMKEY_SOCKETS_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

// MARK: Batches of datagrams

/// `struct mmsghdr` of recvmmsg(2).
struct roamkey_mmsghdr {
  struct msghdr msg_hdr;
  unsigned int msg_len;
};

int roamkey_recvmmsg(int fd, struct roamkey_mmsghdr *messages, unsigned int count, int flags,
                     struct timespec *timeout) __asm__("recvmmsg");
int roamkey_sendmmsg(int fd, struct roamkey_mmsghdr *messages, unsigned int count, int flags) __asm__("sendmmsg");

int roamkey_pthread_setname(pthread_t thread, const char *name) __asm__("pthread_setname_np");

// MARK: Constants, as plain ints

static const int ROAMKEY_SOCK_DGRAM = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
static const int ROAMKEY_MSG_TRUNC = MSG_TRUNC;
static const int ROAMKEY_MSG_DONTWAIT = MSG_DONTWAIT;

static const int ROAMKEY_IPV6_MTU_DISCOVER = 23;
static const int ROAMKEY_IPV6_V6ONLY = 26;
static const int ROAMKEY_IPV6_RECVPKTINFO = 49;
static const int ROAMKEY_IPV6_PKTINFO = 50;
static const int ROAMKEY_IPV6_DONTFRAG = 62;
static const int ROAMKEY_IP_PKTINFO = 8;
static const int ROAMKEY_IP_MTU_DISCOVER = 10;
/// Sets DF and ignores what the kernel believes of the path MTU: the engine probes it itself (RFC 8899).
static const int ROAMKEY_PMTUDISC_PROBE = 3;

static const int ROAMKEY_SO_SNDBUFFORCE = 32;
static const int ROAMKEY_SO_RCVBUFFORCE = 33;
static const int ROAMKEY_SO_MEMINFO = 55;
/// Words of SO_MEMINFO, and the index of the count of datagrams dropped for want of room.
static const int ROAMKEY_MEMINFO_WORDS = 9;
static const int ROAMKEY_MEMINFO_DROPS = 8;

static const int ROAMKEY_UDP_SEGMENT = 103;
static const int ROAMKEY_UDP_GRO = 104;

static const int ROAMKEY_EPOLLIN = 0x001;
static const int ROAMKEY_EPOLLOUT = 0x004;
static const int ROAMKEY_EPOLLERR = 0x008;
static const int ROAMKEY_EPOLLHUP = 0x010;
static const int ROAMKEY_EPOLL_CLOEXEC = EPOLL_CLOEXEC;
static const int ROAMKEY_EVENTFD_FLAGS = EFD_CLOEXEC | EFD_NONBLOCK;
static const int ROAMKEY_TIMERFD_FLAGS = TFD_CLOEXEC | TFD_NONBLOCK;
static const int ROAMKEY_TIMER_ABSOLUTE = TFD_TIMER_ABSTIME;
/// Edge-triggered.
static const uint32_t ROAMKEY_EPOLLET = 1u << 31;

// MARK: Control messages (the CMSG macros do not import into Swift)

/// `struct in6_pktinfo` of RFC 3542.
struct roamkey_in6_pktinfo {
  struct in6_addr ipi6_addr;
  unsigned int ipi6_ifindex;
};

/// Room for the control messages of one datagram: an address, and later a segment size (GRO, GSO).
static const int ROAMKEY_CONTROL_SIZE = 64;

static inline void *roamkey_put_control(void *control, int level, int type, size_t size) {
  struct cmsghdr *header = (struct cmsghdr *)control;
  memset(header, 0, CMSG_SPACE(size));
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(size);
  return CMSG_DATA(header);
}

/// Writes the address a datagram is to leave from. Works for IPv4-mapped addresses on an IPv6 socket too.
/// Returns the bytes of `control` used.
static inline size_t roamkey_put_source6(void *control, const struct in6_addr *address, unsigned int interface) {
  struct roamkey_in6_pktinfo info;
  info.ipi6_addr = *address;
  info.ipi6_ifindex = interface;
  memcpy(roamkey_put_control(control, IPPROTO_IPV6, ROAMKEY_IPV6_PKTINFO, sizeof info), &info, sizeof info);
  return CMSG_SPACE(sizeof info);
}

/// The same on an IPv4 socket.
static inline size_t roamkey_put_source4(void *control, struct in_addr address) {
  struct in_pktinfo info;
  memset(&info, 0, sizeof info);
  info.ipi_spec_dst = address;
  memcpy(roamkey_put_control(control, IPPROTO_IP, ROAMKEY_IP_PKTINFO, sizeof info), &info, sizeof info);
  return CMSG_SPACE(sizeof info);
}

/// Finds the address a received datagram was sent to, in IPv6 or IPv4-mapped form. Returns 0 when there is none.
static inline int roamkey_find_destination(struct msghdr *message, struct roamkey_in6_pktinfo *found) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == ROAMKEY_IPV6_PKTINFO
        && c->cmsg_len >= CMSG_LEN(sizeof *found)) {
      memcpy(found, CMSG_DATA(c), sizeof *found);
      return 1;
    }
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == ROAMKEY_IP_PKTINFO
        && c->cmsg_len >= CMSG_LEN(sizeof(struct in_pktinfo))) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      memset(found, 0, sizeof *found);
      found->ipi6_addr.s6_addr[10] = found->ipi6_addr.s6_addr[11] = 0xff;
      memcpy(&found->ipi6_addr.s6_addr[12], &info.ipi_addr, 4);
      found->ipi6_ifindex = (unsigned int)info.ipi_ifindex;
      return 1;
    }
  }
  return 0;
}

// MARK: epoll

/// Adds or changes (`operation`) a descriptor; `tag` is what `roamkey_epoll_wait` reports for it.
static inline int roamkey_epoll_control(int epoll, int operation, int fd, uint32_t events, uint32_t tag) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = events;
  event.data.u32 = tag;
  return epoll_ctl(epoll, operation, fd, &event);
}

/// Waits and sets, for each ready descriptor, its events in `ready[tag]`. `ready` has four entries, tags are below 4.
static inline int roamkey_epoll_wait(int epoll, int milliseconds, uint32_t ready[4]) {
  struct epoll_event events[4];
  memset(ready, 0, 4 * sizeof ready[0]);
  int count = epoll_wait(epoll, events, 4, milliseconds);
  for (int i = 0; i < count; i++)
    if (events[i].data.u32 < 4) ready[events[i].data.u32] |= events[i].events;
  return count;
}

#endif
