// The Linux socket calls that Swift's Glibc module lacks, because it is built without _GNU_SOURCE.
//
// Header only: no C file is compiled. Functions are bound to libc's symbols by name, and structures that glibc hides
// are mirrored under names of our own, so that nothing clashes should a build define _GNU_SOURCE. Only RoamkeyUDP
// sees it.
#ifndef ROAMKEY_SOCKETS_H
#define ROAMKEY_SOCKETS_H

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

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

/// For a processor that looks at the same word again and again.
static inline void roamkey_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

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

static const int ROAMKEY_IP_TTL = 2;
static const int ROAMKEY_IP_MULTICAST_TTL = 33;
static const int ROAMKEY_IPV6_UNICAST_HOPS = 16;
static const int ROAMKEY_IPV6_MULTICAST_HOPS = 18;

static const int ROAMKEY_SO_SNDBUFFORCE = 32;
static const int ROAMKEY_SO_RCVBUFFORCE = 33;
static const int ROAMKEY_SO_MEMINFO = 55;
static const int ROAMKEY_SO_BINDTOIFINDEX = 62;
/// Words of SO_MEMINFO, and the indices of some: what waits to be sent and the limit of that, in bytes of memory; the
/// count of datagrams dropped for want of room.
static const int ROAMKEY_MEMINFO_WORDS = 9;
static const int ROAMKEY_MEMINFO_QUEUED = 2;
static const int ROAMKEY_MEMINFO_SEND_BUFFER = 3;
static const int ROAMKEY_MEMINFO_DROPS = 8;

static const int ROAMKEY_UDP_SEGMENT = 103;
static const int ROAMKEY_UDP_GRO = 104;

static const int ROAMKEY_EPOLLIN = 0x001;
static const int ROAMKEY_EPOLLOUT = 0x004;
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

/// Room for the control messages of one datagram or run: an address and a segment size. 64 are needed on 64-bit
/// systems.
static const int ROAMKEY_CONTROL_SIZE = 96;

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
static inline size_t roamkey_put_source4(void *control, struct in_addr address, unsigned int interface) {
  struct in_pktinfo info;
  memset(&info, 0, sizeof info);
  info.ipi_ifindex = (int)interface;
  info.ipi_spec_dst = address;
  memcpy(roamkey_put_control(control, IPPROTO_IP, ROAMKEY_IP_PKTINFO, sizeof info), &info, sizeof info);
  return CMSG_SPACE(sizeof info);
}

/// Writes the size of the datagrams that a run is to be cut into (UDP_SEGMENT), behind what `control` holds already.
/// Returns the bytes of `control` used.
static inline size_t roamkey_put_segment_size(void *control, uint16_t size) {
  memcpy(roamkey_put_control(control, IPPROTO_UDP, ROAMKEY_UDP_SEGMENT, sizeof size), &size, sizeof size);
  return CMSG_SPACE(sizeof size);
}

/// The size of the datagrams that a received run consists of (UDP_GRO); 0 where it is a single one.
static inline int roamkey_find_segment_size(struct msghdr *message) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
    int size;
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == ROAMKEY_UDP_GRO && c->cmsg_len >= CMSG_LEN(sizeof size)) {
      memcpy(&size, CMSG_DATA(c), sizeof size);
      return size;
    }
  }
  return 0;
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

// MARK: Groups

/// Hears a multicast group on one interface (IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP); -1 and `errno` on failure.
static inline int roamkey_join4(int fd, struct in_addr group, unsigned int interface) {
  struct { struct in_addr group, local; int interface; } request;  // struct ip_mreqn
  memset(&request, 0, sizeof request);
  request.group = group;
  request.interface = (int)interface;
  return setsockopt(fd, IPPROTO_IP, 35, &request, sizeof request);
}

static inline int roamkey_join6(int fd, const struct in6_addr *group, unsigned int interface) {
  struct { struct in6_addr group; unsigned int interface; } request;  // struct ipv6_mreq
  request.group = *group;
  request.interface = interface;
  return setsockopt(fd, IPPROTO_IPV6, 20, &request, sizeof request);
}

// MARK: epoll

/// Adds or changes (`operation`) a descriptor; `tag` (below 32) is what `roamkey_epoll_wait` reports for it.
static inline int roamkey_epoll_control(int epoll, int operation, int fd, uint32_t events, uint32_t tag) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = events;
  event.data.u32 = tag;
  return epoll_ctl(epoll, operation, fd, &event);
}

/// Descriptors that are ready: bit n stands for the one with tag n.
struct roamkey_ready {
  /// Something to read, or an error, which the next call on the descriptor takes off.
  uint32_t readable;
  uint32_t writable;
};

static inline void roamkey_note_ready(const struct epoll_event *events, int count, struct roamkey_ready *ready) {
  memset(ready, 0, sizeof *ready);
  for (int i = 0; i < count; i++) {
    uint32_t bit = events[i].data.u32 < 32 ? 1u << events[i].data.u32 : 0;
    if (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) ready->readable |= bit;
    if (events[i].events & EPOLLOUT) ready->writable |= bit;
  }
}

/// Waits, and sets the bits of the descriptors that are ready.
static inline int roamkey_epoll_wait(int epoll, int milliseconds, struct roamkey_ready *ready) {
  struct epoll_event events[32];
  int count = epoll_wait(epoll, events, 32, milliseconds);
  roamkey_note_ready(events, count, ready);
  return count;
}

/// The same with a limit in nanoseconds: epoll_pwait2, of Linux 5.11. Called by its number, the same on all machines,
/// since older C libraries lack it. Returns -1 and `errno` where the system has none, or a sandbox forbids it.
static inline int roamkey_epoll_wait_for(int epoll, const struct timespec *limit, struct roamkey_ready *ready) {
  struct epoll_event events[32];
  int count = -1;
  // The kernel's seconds have 64 bits.
  if (sizeof limit->tv_sec == 8) {
    count = (int)syscall(441, epoll, events, 32, limit, NULL, (size_t)0);
  } else {
    errno = ENOSYS;
  }
  roamkey_note_ready(events, count, ready);
  return count;
}

// MARK: rtnetlink (the enums and cast macros do not import as numbers of one type)

static const uint16_t ROAMKEY_NLMSG_ERROR = NLMSG_ERROR;
static const uint16_t ROAMKEY_NLMSG_DONE = NLMSG_DONE;
static const uint16_t ROAMKEY_NLM_F_REQUEST = NLM_F_REQUEST;
static const uint16_t ROAMKEY_NLM_F_DUMP = NLM_F_REQUEST | NLM_F_DUMP;
static const uint16_t ROAMKEY_NLM_F_MULTI = NLM_F_MULTI;
static const uint16_t ROAMKEY_NLA_TYPE_MASK = NLA_TYPE_MASK;

static const uint16_t ROAMKEY_RTM_NEWLINK = RTM_NEWLINK;
static const uint16_t ROAMKEY_RTM_GETLINK = RTM_GETLINK;
static const uint16_t ROAMKEY_RTM_NEWADDR = RTM_NEWADDR;
static const uint16_t ROAMKEY_RTM_GETADDR = RTM_GETADDR;
static const uint16_t ROAMKEY_RTM_NEWROUTE = RTM_NEWROUTE;
static const uint16_t ROAMKEY_RTM_GETROUTE = RTM_GETROUTE;

static const uint16_t ROAMKEY_IFLA_EXT_MASK = IFLA_EXT_MASK;
/// Leaves counters out of a dump of interfaces.
static const uint32_t ROAMKEY_RTEXT_SKIP_STATS = RTEXT_FILTER_SKIP_STATS;
static const uint16_t ROAMKEY_IFA_ADDRESS = IFA_ADDRESS;
static const uint16_t ROAMKEY_IFA_LOCAL = IFA_LOCAL;
static const uint16_t ROAMKEY_IFA_FLAGS = IFA_FLAGS;
static const uint16_t ROAMKEY_RTA_DST = RTA_DST;
static const uint16_t ROAMKEY_RTA_OIF = RTA_OIF;
static const uint16_t ROAMKEY_RTA_GATEWAY = RTA_GATEWAY;
static const uint16_t ROAMKEY_RTA_PREFSRC = RTA_PREFSRC;
static const uint16_t ROAMKEY_RTA_VIA = RTA_VIA;

/// The interface flags of netdevice(7), whose header clashes with the kernel's own.
static const uint32_t ROAMKEY_IFF_UP = 0x1;
static const uint32_t ROAMKEY_IFF_LOOPBACK = 0x8;
static const uint32_t ROAMKEY_IFF_POINTOPOINT = 0x10;
static const uint32_t ROAMKEY_IFF_RUNNING = 0x40;

static const uint32_t ROAMKEY_IFA_F_OPTIMISTIC = IFA_F_OPTIMISTIC;
static const uint32_t ROAMKEY_IFA_F_DADFAILED = IFA_F_DADFAILED;
static const uint32_t ROAMKEY_IFA_F_DEPRECATED = IFA_F_DEPRECATED;
static const uint32_t ROAMKEY_IFA_F_TENTATIVE = IFA_F_TENTATIVE;

/// Answers with the route that matched, and with an error where none did.
static const uint32_t ROAMKEY_RTM_F_FIB_MATCH = RTM_F_FIB_MATCH;

/// What can change the way to an address: links, addresses, routes, rules that choose between tables, next hops.
static const uint32_t ROAMKEY_NETWORK_GROUPS =
    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV4_RULE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE
    | 1u << (RTNLGRP_IPV6_RULE - 1) | 1u << (RTNLGRP_NEXTHOP - 1);

/// Opens a netlink socket that hears the multicast groups of the mask `groups`; returns -1 and `errno` on failure.
static inline int roamkey_netlink_open(int blocks, uint32_t groups) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | (blocks ? 0 : SOCK_NONBLOCK), NETLINK_ROUTE);
  if (fd < 0) return -1;
  struct sockaddr_nl name;
  memset(&name, 0, sizeof name);
  name.nl_family = AF_NETLINK;
  name.nl_groups = groups;
  if (bind(fd, (struct sockaddr *)&name, sizeof name) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

/// Receives what the kernel says. Returns its whole length even where that is more than `size`, 0 for what another
/// process sent, -1 and `errno` on failure.
static inline ssize_t roamkey_netlink_receive(int fd, void *buffer, size_t size) {
  struct sockaddr_nl from;
  socklen_t length = sizeof from;
  memset(&from, 0, sizeof from);
  ssize_t count = recvfrom(fd, buffer, size, MSG_TRUNC, (struct sockaddr *)&from, &length);
  return count > 0 && from.nl_pid != 0 ? 0 : count;
}

#endif
