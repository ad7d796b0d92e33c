// What a call that can fail gives back. Three kinds of trouble share it: a refusal (the caller may
// not; `reason` says which rule), a fault of the world (disk, socket), and "nothing of either",
// which is OK. A bug is none of them: it is an Assert and ends the process.
//
//   Result<Commit> commit = log.Load(seq);
//   if (!commit.ok()) return commit.status();
//   Use(*commit);
//
// Of our own rather than absl's: the library's public header shows it, and Debian's abseil is an
// ABI of its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace updraft {

enum class StatusCode {
  kOk,
  kInvalidArgument,     // The request is wrong in itself.
  kNotFound,            // It names something that is not there.
  kAlreadyExists,       // It would make a second one.
  kFailedPrecondition,  // Not in the present state of things.
  kPermissionDenied,    // Not by this caller.
  kResourceExhausted,   // A bound is reached: disk, queue, size.
  kAborted,             // Somebody else was first.
  kUnavailable,         // Not now; the same call may pass later.
  kDataLoss,            // What the disk holds is not what was written.
  kUnknown,             // It may have happened or not.
  kInternal,            // A fault of ours or of a library below.
};

// "INVALID_ARGUMENT" and so on.
std::string_view CodeName(StatusCode code);

class [[nodiscard]] Status {
 public:
  Status() = default;  // OK.
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}
  // A refusal. `reason` is one of the stable words of engine/refusals.h and lives for ever.
  Status(StatusCode code, std::string_view reason, std::string message)
      : code_(code), reason_(reason), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  // The stable name of the rule that refused; the code's name where no rule did.
  std::string_view reason() const { return reason_.empty() ? CodeName(code_) : reason_; }
  // For a person: what is wrong and what to do. No trailing full stop is promised.
  const std::string& message() const { return message_; }

  // "reason: message", for logs and terminals.
  std::string ToString() const;

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string_view reason_;
  std::string message_;
};

inline Status OkStatus() { return Status(); }

// Ends the process: a bug took the value of a failure, or made a failure of OK.
[[noreturn]] void MisusedResult(const Status& status);

// A value, or why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: implicit on purpose.
  Result(Status status) : status_(std::move(status)) {
    if (status_.ok()) MisusedResult(status_);
  }

  bool ok() const { return status_.ok(); }
  const Status& status() const& { return status_; }
  Status&& status() && { return std::move(status_); }

  T& operator*() & { return *Checked(); }
  const T& operator*() const& { return *const_cast<Result*>(this)->Checked(); }
  T&& operator*() && { return std::move(*Checked()); }
  T* operator->() { return &*Checked(); }
  const T* operator->() const { return &*const_cast<Result*>(this)->Checked(); }

 private:
  std::optional<T>& Checked() {
    if (!value_.has_value()) MisusedResult(status_);
    return value_;
  }

  Status status_;
  std::optional<T> value_;
};

#define UPDRAFT_CONCAT_(a, b) a##b
#define UPDRAFT_CONCAT(a, b) UPDRAFT_CONCAT_(a, b)

// Leaves the function with `expr`'s status unless it is OK.
#define RETURN_IF_ERROR(expr)                                              \
  do {                                                                     \
    if (::updraft::Status status_ = (expr); !status_.ok()) return status_; \
  } while (false)

// ASSIGN_OR_RETURN(auto x, Make()): declares x, or leaves the function with the error.
#define ASSIGN_OR_RETURN(lhs, expr) ASSIGN_OR_RETURN_(UPDRAFT_CONCAT(result_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_(result, lhs, expr)           \
  auto result = (expr);                                \
  if (!result.ok()) return std::move(result).status(); \
  lhs = *std::move(result)

}  // namespace updraft
