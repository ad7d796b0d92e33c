// How fast is history read? The log of a fleet that lived through a batch is loaded, its chain
// checked, decoded and folded into a world whose digest is compared with the recorded ones; beside
// it a RocksDB with the same events a row each is scanned, and nothing is made of them.
//
// Both lie on disk with the same compression and block size, and are in the page cache.
#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/table.h>

#include "bench/bench.h"
#include "bench/fleet.h"
#include "engine/recovery.h"
#include "events/log/rocks_log.h"

namespace updraft {
namespace {

constexpr int kReportsADevice = 10;

void OrDie(const rocksdb::Status& status) {
  updraft::OrDie(status.ok() ? OkStatus() : Status(StatusCode::kUnknown, status.ToString()),
                 "use RocksDB");
}

// A row an event, as one would write it with RocksDB alone.
class RowLog {
 public:
  explicit RowLog(const std::string& dir) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kZSTD;
    rocksdb::BlockBasedTableOptions table;
    table.block_size = 64 << 10;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* db = nullptr;
    OrDie(rocksdb::DB::Open(options, dir, &db));
    db_.reset(db);
  }
  ~RowLog() { OrDie(db_->Close()); }

  void Add(const CommitReader& commit) {
    rocksdb::WriteBatch batch;
    uint64_t seq = commit.header().first.value();
    for (events::Event::Reader event : commit.events()) {
      capnp::MallocMessageBuilder message;
      message.setRoot(event);
      kj::Array<capnp::word> words = capnp::messageToFlatArray(message);
      uint64_t key = __builtin_bswap64(seq++);
      OrDie(batch.Put(rocksdb::Slice(reinterpret_cast<const char*>(&key), sizeof(key)),
                      rocksdb::Slice(reinterpret_cast<const char*>(words.begin()),
                                     words.size() * sizeof(capnp::word))));
    }
    OrDie(db_->Write({}, &batch));
  }
  void Finish() { OrDie(db_->Flush({})); }

  Sample Scan() const {
    uint64_t rows = 0, bytes = 0;
    double seconds = SecondsOf([&] {
      rocksdb::ReadOptions options;
      options.readahead_size = 2 << 20;
      options.fill_cache = false;
      std::unique_ptr<rocksdb::Iterator> iterator(db_->NewIterator(options));
      for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
        ++rows;
        bytes += iterator->value().size();
      }
      OrDie(iterator->status());
    });
    return {static_cast<double>(rows) / seconds, rows ^ bytes};
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
};

Sample Replay(const EventLog& log) {
  uint64_t events = log.head().last.value();
  std::unique_ptr<World> world;
  double seconds =
      SecondsOf([&] { world = OrDie(Recover(log, {.names = false}), "replay").world; });
  return {static_cast<double>(events) / seconds, world->digest().low()};
}

void Run(Bench& bench) {
  uint64_t devices = bench.Parameter("devices", 300, 100'000);
  std::string log_dir = bench.NewDir();
  auto log =
      OrDie(RocksLog::Open(
                {.dir = log_dir + "/log", .create = true, .sidecar_key_path = log_dir + "/key"}),
            "make a log");
  RowLog rows(bench.NewDir());
  CoreFleet fleet({.devices = devices}, [&](const CommitJob& job) {
    OrDie(log->Append(job.commit, job.side), "append");
  });
  fleet.LiveThrough(kReportsADevice);
  OrDie(log->Read(Seq(1),
                  [&](const CommitReader& commit) {
                    rows.Add(commit);
                    return OkStatus();
                  }),
        "read the log");
  rows.Finish();
  // Opened again, as a start finds it: in tables.
  log.reset();
  log = OrDie(RocksLog::Open({.dir = log_dir + "/log", .sidecar_key_path = log_dir + "/key"}),
              "open the log");

  bench.Compare("events/s", {{"events", log->head().last.value()}},
                {{"updraft", [&] { return Replay(*log); }},
                 {"rocksdb_rows", [&] { return rows.Scan(); }, AtLeast(1)}});
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) {
  updraft::Bench bench("replay", argc, argv, "sync=none");
  updraft::Run(bench);
}
