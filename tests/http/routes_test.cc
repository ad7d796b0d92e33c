#include "adapters/http/routes.h"

#include <catch2/catch.hpp>

namespace updraft {
namespace {

// A handler that can be told from others by its name.
struct Named {
  kj::Promise<void> operator()(Exchange&) const { return kj::READY_NOW; }
  std::string name;
};

std::string Taker(const Routes& routes, std::string_view method, std::string_view path) {
  Routes::Found found = routes.Find(method, path);
  if (found.handler == nullptr) return "refused, allowed: " + found.allow;
  return found.handler->target<Named>()->name;
}

}  // namespace

TEST_CASE("the exact route wins, then the longest prefix", "[http][routes]") {
  Routes routes;
  routes.Add("/a/", /*below=*/true, {"GET"}, Named{"below a"});
  routes.Add("/a/b/", /*below=*/true, {"GET", "POST"}, Named{"below b"});
  routes.Add("/a/b/c", /*below=*/false, {"POST"}, Named{"c"});
  routes.Add("/", /*below=*/false, {"GET"}, Named{"root"});

  CHECK(Taker(routes, "GET", "/") == "root");
  CHECK(Taker(routes, "HEAD", "/") == "root");
  CHECK(Taker(routes, "GET", "/a/x") == "below a");
  CHECK(Taker(routes, "GET", "/a/b/x") == "below b");
  CHECK(Taker(routes, "GET", "/a/b/cd") == "below b");
  CHECK(Taker(routes, "POST", "/a/b/c") == "c");
  CHECK(Taker(routes, "GET", "/a/b/c") == "refused, allowed: POST");
  CHECK(Taker(routes, "POST", "/a/x") == "refused, allowed: GET, HEAD");
  CHECK(Taker(routes, "GET", "/a") == "refused, allowed: ");
  CHECK(Taker(routes, "GET", "/b") == "refused, allowed: ");
  CHECK(Taker(routes, "GET", "") == "refused, allowed: ");
}

}  // namespace updraft
