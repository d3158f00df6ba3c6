// DTLS 1.2 by OpenSSL (https://www.openssl.org) over datagrams that the caller receives, since many sessions share a
// server's socket. Header only: no C file is compiled. Only DtlsParty.swift imports it.
#ifndef BENCHMARK_DTLS_H
#define BENCHMARK_DTLS_H

#include <errno.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/// One session: where its datagrams go, and the one that has just come.
struct bench_dtls {
  SSL *ssl;
  int fd;
  struct sockaddr_in to;
  const void *datagram;
  int size;
};

static inline int bench_dtls_out(BIO *bio, const char *bytes, int size) {
  struct bench_dtls *session = (struct bench_dtls *)BIO_get_data(bio);
  sendto(session->fd, bytes, (size_t)size, 0, (const struct sockaddr *)&session->to, sizeof session->to);
  // What the system refuses is lost.
  return size;
}

static inline int bench_dtls_in(BIO *bio, char *bytes, int capacity) {
  struct bench_dtls *session = (struct bench_dtls *)BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (!session->datagram) {
    BIO_set_retry_read(bio);
    return -1;
  }
  int size = session->size < capacity ? session->size : capacity;
  memcpy(bytes, session->datagram, (size_t)size);
  session->datagram = NULL;
  return size;
}

static inline long bench_dtls_control(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

static inline BIO_METHOD *bench_dtls_method(void) {
  BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
  if (!method) return NULL;
  BIO_meth_set_write(method, bench_dtls_out);
  BIO_meth_set_read(method, bench_dtls_in);
  BIO_meth_set_ctrl(method, bench_dtls_control);
  return method;
}

/// A context for DTLS 1.2 with AES-GCM, of a server with a new key (P-256) and certificate. NULL: there is none.
static inline SSL_CTX *bench_dtls_context(int is_server) {
  SSL_CTX *context = SSL_CTX_new(is_server ? DTLS_server_method() : DTLS_client_method());
  if (!context) return NULL;
  SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256");
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  if (!is_server) return context;
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  X509_set_pubkey(certificate, key);
  int ready = X509_sign(certificate, key, EVP_sha256()) > 0 && SSL_CTX_use_certificate(context, certificate) == 1
    && SSL_CTX_use_PrivateKey(context, key) == 1;
  X509_free(certificate);
  EVP_PKEY_free(key);
  if (ready) return context;
  SSL_CTX_free(context);
  return NULL;
}

/// A session that has said nothing yet. NULL: there is none.
static inline struct bench_dtls *bench_dtls_new(SSL_CTX *context, BIO_METHOD *method, int fd, struct sockaddr_in to,
                                                int is_server) {
  struct bench_dtls *session = (struct bench_dtls *)calloc(1, sizeof *session);
  SSL *ssl = SSL_new(context);
  BIO *bio = BIO_new(method);
  if (!session || !ssl || !bio) return NULL;
  session->ssl = ssl;
  session->fd = fd;
  session->to = to;
  BIO_set_data(bio, session);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  SSL_set_mtu(ssl, 1400);
  if (is_server) SSL_set_accept_state(ssl); else SSL_set_connect_state(ssl);
  return session;
}

/// Goes on with the handshake: 1 done, 0 not yet, -1 failed.
static inline int bench_dtls_shake(struct bench_dtls *session) {
  int result = SSL_do_handshake(session->ssl);
  if (result == 1) return 1;
  int error = SSL_get_error(session->ssl, result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static inline void bench_dtls_repeat(struct bench_dtls *session) { DTLSv1_handle_timeout(session->ssl); }

#endif
