// Encrypts the values of the sidecar: AES-256-GCM, a random nonce a value, and the sidecar key that
// the value lies under bound to it, so that a value moved to another key does not open.
//
// Bytes of a sealed value: nonce (12), ciphertext (as long as the value), tag (16). Nonces are
// random, so one key should seal at most 2^32 values.
//
// Thread-safety: all methods are const and any thread may call them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "events/base/status.h"

struct evp_cipher_ctx_st;

namespace updraft {

class SideCipher {
 public:
  static constexpr size_t kKeyBytes = 32;

  // The key of the file at `path`, see key_file.h.
  static Result<SideCipher> FromFile(const std::string& path);

  // REQUIRED: kKeyBytes bytes.
  explicit SideCipher(std::string key);

  std::string Seal(std::string_view side_key, std::string_view value) const;

  // DATA_LOSS when it was not sealed with this key under `side_key`, or was changed since.
  Result<std::string> Open(std::string_view side_key, std::string_view sealed) const;

  // Opens many values: the key is expanded once. Belongs to one thread.
  class Opener {
   public:
    explicit Opener(const SideCipher& cipher);
    // As SideCipher::Open.
    Result<std::string> Open(std::string_view side_key, std::string_view sealed);

   private:
    struct FreeContext {
      void operator()(evp_cipher_ctx_st* context) const;
    };
    std::unique_ptr<evp_cipher_ctx_st, FreeContext> context_;
  };

 private:
  std::string key_;
};

}  // namespace updraft
