#include "adapters/wire/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "events/base/assert.h"

namespace updraft {
namespace {

const EVP_MD* Algorithm(HmacHash hash) {
  switch (hash) {
    case HmacHash::kMd5:
      return EVP_md5();
    case HmacHash::kSha1:
      return EVP_sha1();
    case HmacHash::kSha256:
      return EVP_sha256();
  }
  Unreachable();
}

}  // namespace

std::string Hmac(HmacHash hash, std::string_view key, std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const unsigned char* done =
      HMAC(Algorithm(hash), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  Assert(done != nullptr, "OpenSSL computes every HMAC of its default provider");
  return std::string(reinterpret_cast<const char*>(digest), size);
}

}  // namespace updraft
