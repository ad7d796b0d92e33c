// Which handler answers which path. Filled before the server starts, only read from then on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/http/exchange.h"

namespace updraft {

class Routes {
 public:
  // `path` alone, or with `below` everything that begins with it. `methods` are the ones the
  // handler takes; GET brings HEAD with it.
  void Add(std::string path, bool below, std::vector<std::string> methods, ExchangeHandler handler);

  struct Found {
    const ExchangeHandler* handler = nullptr;  // Null when nobody answers.
    std::string allow;  // When it is the method that nobody takes: those taken, "GET, HEAD".
  };
  // The route of exactly that path, else the longest prefix.
  Found Find(std::string_view method, std::string_view path) const;

 private:
  struct Route {
    std::string path;
    bool below;
    std::vector<std::string> methods;
    ExchangeHandler handler;
  };
  std::vector<Route> routes_;
};

}  // namespace updraft
