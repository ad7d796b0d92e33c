// What people would use in place of a log of our own, each taking batches of rows and answering
// when they are as durable as it makes them. They only store; nothing is decided.
//
// What fails ends the program. Thread-safety: none.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "bench/bench.h"

namespace updraft {

class Store {
 public:
  virtual ~Store() = default;
  // Returns once all rows are durable.
  virtual void Append(std::span<const std::string> rows) = 0;
};

// Writes the rows one behind the other with a single pwrite to a file that is there in full
// already, and fdatasync: what the disk can do.
std::unique_ptr<Store> MakeFileStore(Bench& bench);
// A row an event, one synced write a batch.
std::unique_ptr<Store> MakeRocksStore(Bench& bench);

// Null, and said so, when the library was not there at the build or the server is not installed.

// In WAL mode with synchronous=FULL, a transaction a batch.
std::unique_ptr<Store> MakeSqliteStore(Bench& bench);
// One INSERT of many rows a batch.
std::unique_ptr<Store> MakePostgresInsertStore(Bench& bench);
// One binary COPY a batch.
std::unique_ptr<Store> MakePostgresCopyStore(Bench& bench);
// XADDs sent together.
std::unique_ptr<Store> MakeRedisStore(Bench& bench);
// Published without waiting, then all acknowledgements. It does not sync before it acknowledges.
std::unique_ptr<Store> MakeNatsStore(Bench& bench);

}  // namespace updraft
