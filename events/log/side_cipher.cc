#include "events/log/side_cipher.h"

#include <memory>

#include <openssl/evp.h>

#include "events/base/assert.h"
#include "events/base/bytes.h"
#include "events/log/key_file.h"

namespace updraft {
namespace {

constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

// Looked up once: OpenSSL 3 takes longer to find an algorithm than to seal a name with it.
const EVP_CIPHER* Aes256Gcm() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return cipher;
}

// A context that has taken key, nonce and associated data.
Context BeginSealing(std::string_view key, std::string_view nonce, std::string_view side_key) {
  Context context(EVP_CIPHER_CTX_new());
  int unused = 0;
  bool ok =
      context != nullptr &&
      EVP_EncryptInit_ex(context.get(), Aes256Gcm(), nullptr, Bytes(key), Bytes(nonce)) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &unused, Bytes(side_key),
                        static_cast<int>(side_key.size())) == 1;
  Assert(ok, "AES-256-GCM takes any key of 32 bytes and nonce of 12");
  return context;
}

}  // namespace

Result<SideCipher> SideCipher::FromFile(const std::string& path) {
  ASSIGN_OR_RETURN(std::string key, ReadKeyFile(path, kKeyBytes));
  return SideCipher(std::move(key));
}

SideCipher::SideCipher(std::string key) : key_(std::move(key)) {
  Assert(key_.size() == kKeyBytes, "a key of AES-256 has 32 bytes, not {}", key_.size());
}

std::string SideCipher::Seal(std::string_view side_key, std::string_view value) const {
  std::string sealed = RandomBytes(kNonceBytes);
  Context context = BeginSealing(key_, sealed, side_key);
  sealed.resize(kNonceBytes + value.size() + kTagBytes);
  int written = 0;
  int rest = 0;
  bool ok = EVP_EncryptUpdate(context.get(), Bytes(sealed) + kNonceBytes, &written, Bytes(value),
                              static_cast<int>(value.size())) == 1 &&
            EVP_EncryptFinal_ex(context.get(), nullptr, &rest) == 1 &&
            EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                                Bytes(sealed) + kNonceBytes + value.size()) == 1;
  Assert(ok && static_cast<size_t>(written) == value.size(), "GCM takes any value");
  return sealed;
}

Result<std::string> SideCipher::Open(std::string_view side_key, std::string_view sealed) const {
  return Opener(*this).Open(side_key, sealed);
}

void SideCipher::Opener::FreeContext::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

SideCipher::Opener::Opener(const SideCipher& cipher) : context_(EVP_CIPHER_CTX_new()) {
  bool ok = context_ != nullptr && EVP_DecryptInit_ex(context_.get(), Aes256Gcm(), nullptr,
                                                      Bytes(cipher.key_), nullptr) == 1;
  Assert(ok, "AES-256-GCM takes any key of 32 bytes");
}

Result<std::string> SideCipher::Opener::Open(std::string_view side_key, std::string_view sealed) {
  auto damaged = [] {
    return Status(StatusCode::kDataLoss,
                  "a value of the sidecar does not open: it was changed, or sealed with another "
                  "key file");
  };
  if (sealed.size() < kNonceBytes + kTagBytes) return damaged();
  std::string_view text = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  char tag[kTagBytes];
  sealed.copy(tag, kTagBytes, sealed.size() - kTagBytes);
  std::string value(text.size(), '\0');
  EVP_CIPHER_CTX* context = context_.get();
  int written = 0;
  int rest = 0;
  bool ok = EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, Bytes(sealed)) == 1 &&
            EVP_DecryptUpdate(context, nullptr, &written, Bytes(side_key),
                              static_cast<int>(side_key.size())) == 1 &&
            EVP_DecryptUpdate(context, Bytes(value), &written, Bytes(text),
                              static_cast<int>(text.size())) == 1 &&
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, kTagBytes, tag) == 1 &&
            EVP_DecryptFinal_ex(context, nullptr, &rest) == 1;
  if (!ok) return damaged();
  return value;
}

}  // namespace updraft
