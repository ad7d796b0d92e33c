#include "events/log/side_cipher.h"

#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "events/base/bytes.h"
#include "events/log/key_file.h"
#include "tests/log/temp_dir.h"

namespace updraft {
namespace {

const SideCipher& Cipher() {
  static const SideCipher cipher(std::string(SideCipher::kKeyBytes, 'k'));
  return cipher;
}

}  // namespace

TEST_CASE("a sealed value opens under its key, whatever it holds", "[log]") {
  for (const std::string& value : {std::string(), std::string("secret"), std::string(5000, '\0')}) {
    std::string sealed = Cipher().Seal("d1", value);
    CHECK(sealed.size() == value.size() + 28);
    CHECK(*Cipher().Open("d1", sealed) == value);
  }
}

TEST_CASE("the same value is sealed differently each time and never shows", "[log]") {
  std::string one = Cipher().Seal("d1", "a secret of a device");
  CHECK(one != Cipher().Seal("d1", "a secret of a device"));
  CHECK(one.find("secret") == one.npos);
}

TEST_CASE("a value does not open under another key, from another key file, or changed", "[log]") {
  const std::string sealed = Cipher().Seal("d1", "secret");
  CHECK(Cipher().Open("d2", sealed).status().code() == StatusCode::kDataLoss);
  SideCipher other(std::string(SideCipher::kKeyBytes, 'o'));
  CHECK(other.Open("d1", sealed).status().code() == StatusCode::kDataLoss);
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] ^= 1;
    CHECK_FALSE(Cipher().Open("d1", changed).ok());
    CHECK_FALSE(Cipher().Open("d1", sealed.substr(0, i)).ok());
  }
}

TEST_CASE("a key file is made once, for its owner, and read back", "[log]") {
  TempDir temp;
  const std::string path = temp / "sidecar.key";
  const std::string key = RandomBytes(SideCipher::kKeyBytes);
  CHECK(ReadKeyFile(path, key.size()).status().code() == StatusCode::kNotFound);
  REQUIRE(WriteKeyFile(path, key).ok());
  CHECK(*ReadKeyFile(path, key.size()) == key);
  CHECK(std::filesystem::status(path).permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  CHECK(WriteKeyFile(path, std::string(32, 'n')).code() == StatusCode::kAlreadyExists);
  CHECK(*ReadKeyFile(path, key.size()) == key);
}

TEST_CASE("a file that holds no key of the wanted length is refused by name", "[log]") {
  TempDir temp;
  for (const std::string& text : {std::string(), std::string("00ff\n"), std::string(64, 'x'),
                                  std::string(66, '0'), std::string(64, '0') + "\n\n"}) {
    const std::string path = temp / fmt::format("key-{}", text.size());
    std::ofstream(path) << text;
    Status status = ReadKeyFile(path, 32).status();
    CHECK(status.code() == StatusCode::kDataLoss);
    CHECK_THAT(status.message(), Catch::Contains(path));
  }
}

}  // namespace updraft
