// What the tests in Python need of the C++ code.
//
//   gate_tool config PLUGIN DIR PORT [CERTIFICATE KEY]
//
// prints the configuration of a broker whose files all lie in DIR.
//
//   gate_tool credentials DIR
//
// writes credential files as the engine does. It reads lines from standard input and answers each
// that writes with "ok" and the position, or with the error:
//
//   base GENERATION            starts a base; the records up to `end` go into it
//   product PK STATE           STATE is enabled, disabled or deleted
//   device PK DN STATE SECRET
//   end
//
// Outside of a base a record is appended to the delta.
#include <iostream>
#include <optional>
#include <sstream>
#include <vector>

#include "adapters/broker_plugin/broker_config.h"
#include "adapters/wire/credential_writer.h"
#include "events/base/assert.h"

namespace updraft {
namespace {

CredentialState ParseState(const std::string& word) {
  if (word == "enabled") return CredentialState::kEnabled;
  if (word == "disabled") return CredentialState::kDisabled;
  Assert(word == "deleted", "a state is no {}", word);
  return CredentialState::kDeleted;
}

Result<CredentialWriter> WriteBase(const std::string& dir, uint64_t generation, uint64_t position,
                                   const std::vector<CredentialRecord>& records) {
  ASSIGN_OR_RETURN(CredentialBase base,
                   CredentialBase::Create(dir, generation, position, records.size()));
  for (const CredentialRecord& record : records) RETURN_IF_ERROR(base.Add(record));
  return std::move(base).Finish();
}

int WriteCredentials(const std::string& dir) {
  std::optional<CredentialWriter> writer;
  uint64_t generation = 0;
  uint64_t position = 0;
  bool in_base = false;
  std::vector<CredentialRecord> records;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command, product_key, device_name, state, secret;
    words >> command;
    if (command == "base") {
      words >> generation;
      in_base = true;
      records.clear();
      continue;
    }
    if (command == "end") {
      in_base = false;
      Result<CredentialWriter> fresh = WriteBase(dir, generation, position, records);
      if (fresh.ok()) writer.emplace(*std::move(fresh));
      std::cout << (fresh.ok() ? "ok " + std::to_string(position) : fresh.status().ToString())
                << std::endl;
      continue;
    }
    words >> product_key;
    ++position;
    CredentialRecord record;
    if (command == "product") {
      words >> state;
      record = ProductCredential(product_key, ParseState(state), position);
    } else {
      words >> device_name >> state >> secret;
      record = DeviceCredential(product_key, device_name, ParseState(state), secret, position);
    }
    if (in_base) {
      records.push_back(record);
      continue;
    }
    Status status = writer->Append(std::span(&record, 1));
    std::cout << (status.ok() ? "ok " + std::to_string(position) : status.ToString()) << std::endl;
  }
  return 0;
}

int PrintConfig(const std::vector<std::string>& arguments) {
  const std::string& dir = arguments[1];
  BrokerListener listener = {.port = static_cast<uint16_t>(std::stoi(arguments[2])),
                             .address = "127.0.0.1",
                             .certificate_file = arguments.size() > 3 ? arguments[3] : "",
                             .key_file = arguments.size() > 4 ? arguments[4] : ""};
  std::cout << BrokerConfig({.plugin = arguments[0],
                             .credentials = dir + "/credentials",
                             .engine_password_file = dir + "/engine_password",
                             .listeners = {listener},
                             .persistence_directory = dir,
                             .user = "root"});
  return 0;
}

int Run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 2 && arguments[0] == "credentials") return WriteCredentials(arguments[1]);
  if (arguments.size() >= 4 && arguments[0] == "config") {
    return PrintConfig({arguments.begin() + 1, arguments.end()});
  }
  return 2;
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) { return updraft::Run({argv + 1, argv + argc}); }
