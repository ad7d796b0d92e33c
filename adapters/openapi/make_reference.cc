// Prints the reference of the API's actions.
#include <cstdio>

#include "adapters/openapi/reference.h"

int main() {
  std::fputs(updraft::openapi::Reference().c_str(), stdout);
  return 0;
}
