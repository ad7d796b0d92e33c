#include "events/log/head_signature.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "events/base/assert.h"
#include "events/base/bytes.h"
#include "events/base/format.h"
#include "events/log/key_file.h"

namespace updraft {
namespace {

constexpr std::string_view kTitle = "updraft log head 1";
constexpr size_t kPrivateKeyBytes = 32;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// All that the signature covers.
std::string SignedText(const LogHead& head, const Ed25519Key& public_key) {
  return fmt::format("{}\nengine={}\nevent={}\nhash={}\nepoch={}\ntime_ms={}\nkey={}\n", kTitle,
                     head.engine_number, head.last, HexLower(head.hash), head.epoch, head.time_ms,
                     HexLower(public_key));
}

bool IsSigned(const SignedHead& head) {
  Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, head.public_key.data(),
                                      head.public_key.size()));
  Context context(EVP_MD_CTX_new());
  const std::string text = SignedText(head.head, head.public_key);
  return key != nullptr && context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), head.signature.data(), head.signature.size(), Bytes(text),
                          text.size()) == 1;
}

// Takes the values out of `name=value` lines, in their order.
class Fields {
 public:
  explicit Fields(std::string_view text) : text_(text) {}

  std::optional<std::string_view> Next(std::string_view name) {
    const size_t end = text_.find('\n');
    std::string_view line = text_.substr(0, end);
    text_.remove_prefix(std::min(text_.size(), line.size() + 1));
    if (!line.starts_with(name) || line.substr(name.size(), 1) != "=") return std::nullopt;
    return line.substr(name.size() + 1);
  }

  template <class Int>
  bool Number(std::string_view name, Int& number) {
    std::optional<std::string_view> value = Next(name);
    if (!value.has_value()) return false;
    auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
    return error == std::errc() && end == value->data() + value->size();
  }

  template <size_t N>
  bool Hex(std::string_view name, std::array<uint8_t, N>& bytes) {
    std::optional<std::string_view> value = Next(name);
    if (!value.has_value()) return false;
    std::optional<std::string> decoded = HexDecode(*value);
    if (!decoded.has_value() || decoded->size() != N) return false;
    std::copy(decoded->begin(), decoded->end(), bytes.begin());
    return true;
  }

 private:
  std::string_view text_;
};

}  // namespace

Result<HeadSigner> HeadSigner::LoadOrMake(const std::string& path) {
  Result<std::string> key = ReadKeyFile(path, kPrivateKeyBytes);
  if (key.status().code() == StatusCode::kNotFound) {
    key = RandomBytes(kPrivateKeyBytes);
    RETURN_IF_ERROR(WriteKeyFile(path, *key));
  }
  if (!key.ok()) return key.status();
  return HeadSigner(*std::move(key));
}

SignedHead HeadSigner::Sign(const LogHead& head) const {
  SignedHead result{.head = head, .public_key = {}, .signature = {}};
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Bytes(private_key_),
                                       private_key_.size()));
  Context context(EVP_MD_CTX_new());
  size_t key_bytes = result.public_key.size();
  size_t signature_bytes = result.signature.size();
  bool ok = key != nullptr && context != nullptr &&
            EVP_PKEY_get_raw_public_key(key.get(), result.public_key.data(), &key_bytes) == 1;
  const std::string text = SignedText(head, result.public_key);
  ok = ok && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
       EVP_DigestSign(context.get(), result.signature.data(), &signature_bytes, Bytes(text),
                      text.size()) == 1;
  Assert(ok, "any 32 bytes are a key of Ed25519");
  return result;
}

std::string FormatSignedHead(const SignedHead& head) {
  return fmt::format("{}signature={}\n", SignedText(head.head, head.public_key),
                     HexLower(head.signature));
}

Result<SignedHead> ParseSignedHead(std::string_view text) {
  SignedHead parsed;
  Seq::rep event = 0;
  Epoch::rep epoch = 0;
  bool ok = text.starts_with(fmt::format("{}\n", kTitle));
  Fields fields(ok ? text.substr(kTitle.size() + 1) : text);
  ok = ok && fields.Number("engine", parsed.head.engine_number) && fields.Number("event", event) &&
       fields.Hex("hash", parsed.head.hash) && fields.Number("epoch", epoch) &&
       fields.Number("time_ms", parsed.head.time_ms) && fields.Hex("key", parsed.public_key) &&
       fields.Hex("signature", parsed.signature);
  parsed.head.last = Seq(event);
  parsed.head.epoch = Epoch(epoch);
  if (!ok || FormatSignedHead(parsed) != text) {
    return Status(StatusCode::kInvalidArgument, "this is no signed head of a log");
  }
  if (!IsSigned(parsed)) {
    return Status(StatusCode::kDataLoss,
                  "this head of a log was changed after it was signed, or signed with another key "
                  "than it names");
  }
  return parsed;
}

Result<HeadComparison> CompareWithLog(const LogHead& kept, const EventLog& log) {
  const LogHead now = log.head();
  if (now.last && kept.last && now.engine_number != kept.engine_number) {
    return HeadComparison::kOtherLog;
  }
  if (now.last < kept.last) return HeadComparison::kTruncated;
  if (now.last == kept.last) {
    return now == kept ? HeadComparison::kSame : HeadComparison::kRewritten;
  }
  if (!kept.last) return HeadComparison::kExtends;
  bool found = false;
  bool same = false;
  Status read = log.Read(kept.last, [&](const CommitReader& commit) {
    found = true;
    same = HeadAfter(commit) == kept;
    return Status(StatusCode::kUnavailable, "one commit is enough");
  });
  if (!found) return read;
  return same ? HeadComparison::kExtends : HeadComparison::kRewritten;
}

std::string_view Describe(HeadComparison comparison) {
  switch (comparison) {
    case HeadComparison::kSame:
      return "the log ends where the signed head was taken, and is the same";
    case HeadComparison::kExtends:
      return "the log is the same up to the signed head and goes on";
    case HeadComparison::kTruncated:
      return "the log ends before the signed head: it was cut off";
    case HeadComparison::kRewritten:
      return "the log holds another history than the signed head: it was rewritten";
    case HeadComparison::kOtherLog:
      return "the signed head is of another engine's log";
  }
  Unreachable();
}

}  // namespace updraft
