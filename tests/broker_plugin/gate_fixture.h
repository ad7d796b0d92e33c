// A directory of credentials that goes away with the test, and the CONNECTs of devices in it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "adapters/broker_plugin/admissions.h"
#include "adapters/wire/credential_writer.h"
#include "adapters/wire/credentials.h"

namespace updraft {

class CredentialDirectory {
 public:
  CredentialDirectory() {
    std::string path = std::filesystem::temp_directory_path() / "updraft-gate-XXXXXX";
    REQUIRE(mkdtemp(path.data()) != nullptr);
    path_ = path;
    NewGeneration({Product()});
  }
  ~CredentialDirectory() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }

  void NewGeneration(const std::vector<CredentialRecord>& records) {
    Result<CredentialBase> base =
        CredentialBase::Create(path_, ++generation_, position_, records.size());
    REQUIRE(base.ok());
    for (const CredentialRecord& record : records) REQUIRE(base->Add(record).ok());
    Result<CredentialWriter> writer = (*std::move(base)).Finish();
    REQUIRE(writer.ok());
    writer_.emplace(*std::move(writer));
  }

  void Append(const CredentialRecord& record) {
    REQUIRE(writer_->Append(std::span(&record, 1)).ok());
  }

  CredentialRecord Product(CredentialState state = CredentialState::kEnabled) {
    return ProductCredential("pk", state, ++position_);
  }
  CredentialRecord Device(std::string_view name, CredentialState state = CredentialState::kEnabled,
                          std::string_view secret = "secret") {
    return DeviceCredential("pk", name, state, secret, ++position_);
  }

 private:
  std::string path_;
  uint64_t generation_ = 0;
  uint64_t position_ = 0;
  std::optional<CredentialWriter> writer_;
};

// What a device of product "pk" sends, held together.
struct DeviceConnect {
  explicit DeviceConnect(const std::string& name, const std::string& secret = "secret",
                         const std::string& prefix = "x")
      : user_name(name + "&pk"),
        client_id(prefix + "|securemode=3,signmethod=hmacsha256,timestamp=1|") {
    Result<ConnectIdentity> identity = ParseConnectIdentity(user_name, client_id);
    REQUIRE(identity.ok());
    password = SignPassword(secret, *identity);
  }

  ConnectRequest request() const {
    return {.client_id = client_id,
            .user_name = user_name,
            .password = password,
            .ip = ip,
            .keepalive_seconds = keepalive_seconds};
  }

  std::string user_name;
  std::string client_id;
  std::string password;
  std::string ip = "10.0.0.1";
  uint32_t keepalive_seconds = 60;
};

}  // namespace updraft
