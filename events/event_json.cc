#include "events/event_json.h"

#include <capnp/compat/json.h>
#include <capnp/dynamic.h>
#include <fmt/format.h>
#include <kj/encoding.h>

namespace updraft {
namespace {

// Bytes in hex rather than as a list of numbers.
class HexData : public capnp::JsonCodec::Handler<capnp::Data> {
 public:
  void encode(const capnp::JsonCodec&, capnp::Data::Reader data,
              capnp::JsonValue::Builder out) const override {
    kj::String hex = kj::encodeHex(data);
    out.setString(hex);
  }
  capnp::Orphan<capnp::Data> decode(const capnp::JsonCodec&, capnp::JsonValue::Reader,
                                    capnp::Orphanage orphanage) const override {
    return orphanage.newOrphan<capnp::Data>(0);  // Never asked: JSON is only written.
  }
};

}  // namespace

std::string EventKind(events::Event::Reader event) {
  capnp::DynamicStruct::Reader dynamic = event;
  KJ_IF_MAYBE (field, dynamic.which()) {
    return std::string(field->getProto().getName().cStr());
  }
  return "unknown";  // Of a newer schema.
}

std::string EventJson(Seq seq, int64_t time_ms, events::Event::Reader event) {
  HexData hex;
  capnp::JsonCodec codec;
  codec.addTypeHandler(hex);
  codec.setHasMode(capnp::HasMode::NON_DEFAULT);
  capnp::DynamicStruct::Reader dynamic = event;
  std::string body = "{}";
  KJ_IF_MAYBE (field, dynamic.which()) {
    kj::String json = codec.encode(dynamic.get(*field), field->getType());
    body.assign(json.begin(), json.size());
  }
  return fmt::format(R"({{"seq":{},"time":{},"by":{},"{}":{}}})", seq.value(), time_ms,
                     event.getBy(), EventKind(event), body);
}

}  // namespace updraft
