// A file without a name, gone with its last descriptor.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "events/base/owned_fd.h"

namespace updraft {

class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content) {
    char name[] = "/tmp/updraft-http-XXXXXX";
    fd_ = OwnedFd(mkostemp(name, O_CLOEXEC));
    unlink(name);
    if (write(fd_.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
      throw std::runtime_error("cannot write a temporary file");
    }
  }

  // A descriptor of its own for each reader.
  OwnedFd Open() const { return OwnedFd(fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0)); }

 private:
  OwnedFd fd_;
};

}  // namespace updraft
