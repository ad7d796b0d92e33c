#include "adapters/http/uploads.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <strings.h>

#include "adapters/http/multipart.h"
#include "events/base/log_line.h"

namespace updraft {
namespace {

constexpr size_t kChunkBytes = 64 * 1024;
constexpr size_t kFieldBytesMax = 8 * 1024;
constexpr size_t kFieldCountMax = 32;
constexpr uint64_t kFormBytesMax = 64 * 1024;  // All of a form but its file.

Status Malformed(std::string what) {
  return Status(StatusCode::kInvalidArgument, kMalformedForm, std::move(what));
}

Status TooLarge(uint64_t bytes_max) {
  return Status(StatusCode::kResourceExhausted, kUploadTooLarge,
                fmt::format("the file has more than {} bytes", bytes_max));
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// Where the value of a field goes; null for one that is passed over.
std::string* FieldOf(UploadForm& form, std::string_view name) {
  if (EqualIgnoringCase(name, "key")) return &form.key;
  if (EqualIgnoringCase(name, "policy")) return &form.policy;
  if (EqualIgnoringCase(name, "OSSAccessKeyId")) return &form.access_key_id;
  if (EqualIgnoringCase(name, "AccessKeyId")) return &form.access_key_id;
  if (EqualIgnoringCase(name, "signature")) return &form.signature;
  if (EqualIgnoringCase(name, "success_action_status")) return &form.success_action_status;
  return nullptr;
}

// One upload. The loop's thread reads into its chunk, a worker parses the chunk, in turns.
class Upload final : private MultipartVisitor {
 public:
  Upload(std::shared_ptr<const BeginUpload> begin, std::string_view boundary,
         std::optional<uint64_t> body_size)
      : begin_(std::move(begin)), body_size_(body_size), parser_(boundary) {}

  kj::ArrayPtr<kj::byte> chunk() { return kj::arrayPtr(chunk_.data(), chunk_.size()); }
  bool done() const { return parser_.done(); }
  const UploadForm& form() const { return form_; }

  // Takes what was read into the chunk; none at the body's end. On a worker.
  Status TakeChunk(size_t bytes) {
    if (bytes == 0) return Malformed("the form ends before its last boundary");
    std::string_view read(reinterpret_cast<const char*>(chunk_.data()), bytes);
    RETURN_IF_ERROR(parser_.Feed(read, *this));
    if (!parser_.done()) return OkStatus();
    if (target_.sink == nullptr) return Malformed("the form has no file");
    return target_.sink->Finish();
  }

 private:
  Status OnPart(std::string_view name, std::string_view file_name) override {
    if (target_.sink != nullptr) return Malformed("the file is not the last part of the form");
    if (EqualIgnoringCase(name, "file")) return BeginFile(file_name);
    if (++field_count_ > kFieldCountMax) return Malformed("the form has too many fields");
    field_ = FieldOf(form_, name);
    if (field_ != nullptr && !field_->empty()) {
      return Malformed(fmt::format("the form has \"{}\" twice", name));
    }
    field_bytes_ = 0;
    return OkStatus();
  }

  Status BeginFile(std::string_view file_name) {
    form_.file_name = file_name;
    ASSIGN_OR_RETURN(target_, (*begin_)(form_));
    // What is left of the body is the file, the closing boundary and at most a line break.
    uint64_t other = parser_.position() + parser_.closing_bytes() + 2;
    if (body_size_ && *body_size_ > other && *body_size_ - other > target_.bytes_max) {
      return TooLarge(target_.bytes_max);
    }
    return OkStatus();
  }

  Status OnBytes(std::string_view bytes) override {
    if (target_.sink == nullptr) return AddToField(bytes);
    if (bytes.size() > target_.bytes_max - file_bytes_) return TooLarge(target_.bytes_max);
    file_bytes_ += bytes.size();
    return target_.sink->Write(bytes);
  }

  Status AddToField(std::string_view bytes) {
    field_bytes_ += bytes.size();
    if (field_bytes_ > kFieldBytesMax) return Malformed("a field of the form is too long");
    if (field_ != nullptr) field_->append(bytes);
    return OkStatus();
  }

  const std::shared_ptr<const BeginUpload> begin_;
  const std::optional<uint64_t> body_size_;
  MultipartParser parser_;
  UploadForm form_;
  UploadTarget target_;           // Without a sink until the file begins.
  std::string* field_ = nullptr;  // Of form_: where the present part goes, or nowhere.
  size_t field_bytes_ = 0;
  size_t field_count_ = 0;
  uint64_t file_bytes_ = 0;
  std::array<kj::byte, kChunkBytes> chunk_;
};

HttpResponse ErrorAnswer(const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
      return ErrorResponse(400, status.reason(), status.message());
    case StatusCode::kPermissionDenied:
      return ErrorResponse(403, status.reason(), status.message());
    case StatusCode::kResourceExhausted:
      return ErrorResponse(413, status.reason(), status.message());
    case StatusCode::kUnavailable:
      LogError("upload failed", {{"why", status.ToString()}});
      return ErrorResponse(503, status.reason(), "the file cannot be stored now");
    default:
      LogError("upload failed", {{"why", status.ToString()}});
      return ErrorResponse(500, status.reason(), "the file cannot be stored");
  }
}

HttpResponse SuccessAnswer(const UploadForm& form) {
  if (form.success_action_status == "200") return {200, {}, ""};
  if (form.success_action_status == "201") return {201, {}, ""};
  return {204, {}, ""};
}

kj::Promise<void> TakeRest(Exchange& exchange, std::shared_ptr<Upload> upload) {
  return exchange.ReadBody(upload->chunk())
      .then([&exchange, upload](size_t bytes) {
        return RunBlocking(exchange.loop(), [upload, bytes] { return upload->TakeChunk(bytes); });
      })
      .then([&exchange, upload](Status taken) -> kj::Promise<void> {
        if (!taken.ok()) return exchange.Respond(ErrorAnswer(taken));
        if (upload->done()) return exchange.Respond(SuccessAnswer(upload->form()));
        return TakeRest(exchange, upload);
      });
}

}  // namespace

ExchangeHandler ServeUploads(BeginUpload begin, uint64_t file_bytes_max) {
  auto shared = std::make_shared<const BeginUpload>(std::move(begin));
  return [shared, file_bytes_max](Exchange& exchange) -> kj::Promise<void> {
    std::optional<std::string> boundary = BoundaryOf(exchange.request().Header("Content-Type"));
    if (!boundary) {
      return exchange.Respond(ErrorAnswer(Malformed("the body is not multipart/form-data")));
    }
    if (exchange.body_size().value_or(0) > file_bytes_max + kFormBytesMax) {
      return exchange.Respond(ErrorAnswer(TooLarge(file_bytes_max)));
    }
    return TakeRest(exchange, std::make_shared<Upload>(shared, *boundary, exchange.body_size()));
  };
}

}  // namespace updraft
