#include "bench/stores.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/db.h>
#include <unistd.h>

#include "bench/servers.h"
#include "events/base/owned_fd.h"

#ifdef BENCH_SQLITE
#include <sqlite3.h>
#endif
#ifdef BENCH_POSTGRESQL
#include <libpq-fe.h>
#endif
#ifdef BENCH_REDIS
#include <hiredis/hiredis.h>
#endif
#ifdef BENCH_NATS
#include <nats/nats.h>
#endif

namespace updraft {
namespace {

void Check(bool good, std::string_view store, std::string_view why) {
  if (good) return;  // Asked of every row: costs a store nothing.
  OrDie(Status(StatusCode::kUnknown, std::string(why)), fmt::format("use {}", store));
}

[[maybe_unused]] void SkipUnbuilt(const Bench& bench, std::string_view library) {
  bench.Skip(fmt::format("{} was not there when this was built; see bench/setup", library));
}

class FileStore final : public Store {
 public:
  explicit FileStore(const std::string& dir)
      : fd_(open((dir + "/file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    // Written in full: space that was only asked for is made real by the first write to it.
    std::string zeros(1 << 20, '\0');
    for (size_t at = 0; at < kBytes; at += zeros.size()) Write(zeros, at);
    Check(fsync(fd_.get()) == 0, "a file", std::strerror(errno));
  }

  void Append(std::span<const std::string> rows) override {
    buffer_.clear();
    for (const std::string& row : rows) buffer_ += row;
    if (at_ + buffer_.size() > kBytes) at_ = 0;
    Write(buffer_, at_);
    at_ += buffer_.size();
    Check(fdatasync(fd_.get()) == 0, "a file", std::strerror(errno));
  }

 private:
  static constexpr size_t kBytes = 64 << 20;

  void Write(const std::string& bytes, size_t at) {
    ssize_t written = pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    Check(written == static_cast<ssize_t>(bytes.size()), "a file", std::strerror(errno));
  }

  OwnedFd fd_;
  size_t at_ = 0;
  std::string buffer_;
};

class RocksStore final : public Store {
 public:
  explicit RocksStore(const std::string& dir) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kZSTD;
    rocksdb::DB* db = nullptr;
    Good(rocksdb::DB::Open(options, dir, &db));
    db_.reset(db);
  }
  ~RocksStore() override { Good(db_->Close()); }

  void Append(std::span<const std::string> rows) override {
    rocksdb::WriteBatch batch;
    for (const std::string& row : rows) {
      uint64_t key = __builtin_bswap64(++last_);
      Good(batch.Put(rocksdb::Slice(reinterpret_cast<const char*>(&key), sizeof(key)), row));
    }
    rocksdb::WriteOptions options;
    options.sync = true;
    Good(db_->Write(options, &batch));
  }

 private:
  static void Good(const rocksdb::Status& status) {
    if (!status.ok()) Check(false, "RocksDB", status.ToString());
  }

  std::unique_ptr<rocksdb::DB> db_;
  uint64_t last_ = 0;
};

#ifdef BENCH_SQLITE
class SqliteStore final : public Store {
 public:
  explicit SqliteStore(const std::string& dir) {
    Good(sqlite3_open((dir + "/db").c_str(), &db_));
    Run("PRAGMA journal_mode=WAL");
    Run("PRAGMA synchronous=FULL");
    Run("CREATE TABLE events (seq INTEGER PRIMARY KEY, bytes BLOB)");
    Good(sqlite3_prepare_v2(db_, "INSERT INTO events (bytes) VALUES (?)", -1, &insert_, nullptr));
  }
  ~SqliteStore() override {
    sqlite3_finalize(insert_);
    sqlite3_close(db_);
  }

  void Append(std::span<const std::string> rows) override {
    Run("BEGIN");
    for (const std::string& row : rows) {
      Good(sqlite3_bind_blob(insert_, 1, row.data(), static_cast<int>(row.size()), SQLITE_STATIC));
      const int stepped = sqlite3_step(insert_);
      Good(stepped == SQLITE_DONE ? SQLITE_OK : stepped);
      Good(sqlite3_reset(insert_));
    }
    Run("COMMIT");
  }

 private:
  void Good(int code) {
    if (code != SQLITE_OK) Check(false, "SQLite", sqlite3_errmsg(db_));
  }
  void Run(const char* sql) { Good(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};
#endif

#ifdef BENCH_POSTGRESQL
class PostgresStore : public Store {
 public:
  explicit PostgresStore(std::unique_ptr<PostgresServer> server)
      : server_(std::move(server)), connection_(PQconnectdb(server_->conninfo().c_str())) {
    Check(PQstatus(connection_) == CONNECTION_OK, "PostgreSQL", PQerrorMessage(connection_));
    Want(PQexec(connection_, "SHOW synchronous_commit"), PGRES_TUPLES_OK);
    Want(PQexec(connection_, "CREATE TABLE events (seq bigserial PRIMARY KEY, bytes bytea)"),
         PGRES_COMMAND_OK);
  }
  ~PostgresStore() override { PQfinish(connection_); }

 protected:
  void Want(PGresult* result, ExecStatusType status) {
    Check(PQresultStatus(result) == status, "PostgreSQL", PQerrorMessage(connection_));
    PQclear(result);
  }
  PGconn* connection() { return connection_; }

 private:
  std::unique_ptr<PostgresServer> server_;
  PGconn* connection_;
};

class PostgresInsertStore final : public PostgresStore {
 public:
  using PostgresStore::PostgresStore;

  void Append(std::span<const std::string> rows) override {
    if (rows.size() != prepared_) Prepare(rows.size());
    std::vector<const char*> values;
    std::vector<int> lengths;
    for (const std::string& row : rows) {
      values.push_back(row.data());
      lengths.push_back(static_cast<int>(row.size()));
    }
    std::vector<int> formats(rows.size(), 1);
    Want(PQexecPrepared(connection(), name_.c_str(), static_cast<int>(rows.size()), values.data(),
                        lengths.data(), formats.data(), 1),
         PGRES_COMMAND_OK);
  }

 private:
  void Prepare(size_t rows) {
    std::string sql = "INSERT INTO events (bytes) VALUES ($1::bytea)";
    for (size_t i = 2; i <= rows; ++i) sql += fmt::format(",(${})", i);
    name_ = fmt::format("insert{}", rows);
    Want(PQprepare(connection(), name_.c_str(), sql.c_str(), 0, nullptr), PGRES_COMMAND_OK);
    prepared_ = rows;
  }

  size_t prepared_ = 0;
  std::string name_;
};

class PostgresCopyStore final : public PostgresStore {
 public:
  using PostgresStore::PostgresStore;

  void Append(std::span<const std::string> rows) override {
    Want(PQexec(connection(), "COPY events (bytes) FROM STDIN (FORMAT binary)"), PGRES_COPY_IN);
    buffer_.assign("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
    for (const std::string& row : rows) {
      buffer_.append("\0\1", 2);
      uint32_t size = __builtin_bswap32(static_cast<uint32_t>(row.size()));
      buffer_.append(reinterpret_cast<const char*>(&size), sizeof(size));
      buffer_ += row;
    }
    buffer_.append("\377\377", 2);
    bool sent =
        PQputCopyData(connection(), buffer_.data(), static_cast<int>(buffer_.size())) == 1 &&
        PQputCopyEnd(connection(), nullptr) == 1;
    Check(sent, "PostgreSQL", PQerrorMessage(connection()));
    Want(PQgetResult(connection()), PGRES_COMMAND_OK);
    Check(PQgetResult(connection()) == nullptr, "PostgreSQL", "more than one result");
  }

 private:
  std::string buffer_;
};
#endif

#ifdef BENCH_REDIS
class RedisStore final : public Store {
 public:
  explicit RedisStore(std::unique_ptr<RedisServer> server)
      : server_(std::move(server)), context_(redisConnectUnix(server_->socket_path().c_str())) {
    Check(context_ != nullptr && context_->err == 0, "Redis", "no connection");
  }
  ~RedisStore() override { redisFree(context_); }

  void Append(std::span<const std::string> rows) override {
    for (const std::string& row : rows) {
      const char* words[] = {"XADD", "events", "*", "e", row.data()};
      const size_t sizes[] = {4, 6, 1, 1, row.size()};
      Check(redisAppendCommandArgv(context_, 5, words, sizes) == REDIS_OK, "Redis",
            context_->errstr);
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      void* reply = nullptr;
      Check(redisGetReply(context_, &reply) == REDIS_OK, "Redis", context_->errstr);
      Check(static_cast<redisReply*>(reply)->type == REDIS_REPLY_STRING, "Redis", "refused");
      freeReplyObject(reply);
    }
  }

 private:
  std::unique_ptr<RedisServer> server_;
  redisContext* context_;
};
#endif

#ifdef BENCH_NATS
class NatsStore final : public Store {
 public:
  explicit NatsStore(std::unique_ptr<NatsServer> server) : server_(std::move(server)) {
    Good(natsConnection_ConnectTo(&connection_, server_->url().c_str()));
    Good(natsConnection_JetStream(&stream_, connection_, nullptr));
    jsStreamConfig config;
    Good(jsStreamConfig_Init(&config));
    const char* subjects[] = {"events"};
    config.Name = "EVENTS";
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    Good(js_AddStream(nullptr, stream_, &config, nullptr, nullptr));
  }
  ~NatsStore() override {
    jsCtx_Destroy(stream_);
    natsConnection_Destroy(connection_);
    nats_Close();
  }

  void Append(std::span<const std::string> rows) override {
    for (const std::string& row : rows) {
      Good(js_PublishAsync(stream_, "events", row.data(), static_cast<int>(row.size()), nullptr));
    }
    jsPubOptions options;
    Good(jsPubOptions_Init(&options));
    options.MaxWait = 30'000;
    Good(js_PublishAsyncComplete(stream_, &options));
  }

 private:
  static void Good(natsStatus status) {
    if (status != NATS_OK) Check(false, "NATS", natsStatus_GetText(status));
  }

  std::unique_ptr<NatsServer> server_;
  natsConnection* connection_ = nullptr;
  jsCtx* stream_ = nullptr;
};
#endif

// A store in front of a server, or null where there is none.
template <class S, class Server>
[[maybe_unused]] std::unique_ptr<Store> Before(std::unique_ptr<Server> server) {
  if (server == nullptr) return nullptr;
  return std::make_unique<S>(std::move(server));
}

}  // namespace

std::unique_ptr<Store> MakeFileStore(Bench& bench) {
  return std::make_unique<FileStore>(bench.NewDir());
}
std::unique_ptr<Store> MakeRocksStore(Bench& bench) {
  return std::make_unique<RocksStore>(bench.NewDir());
}

std::unique_ptr<Store> MakeSqliteStore(Bench& bench) {
#ifdef BENCH_SQLITE
  return std::make_unique<SqliteStore>(bench.NewDir());
#else
  SkipUnbuilt(bench, "libsqlite3");
  return nullptr;
#endif
}

std::unique_ptr<Store> MakePostgresInsertStore(Bench& bench) {
#ifdef BENCH_POSTGRESQL
  return Before<PostgresInsertStore>(PostgresServer::Start(bench));
#else
  SkipUnbuilt(bench, "libpq");
  return nullptr;
#endif
}

std::unique_ptr<Store> MakePostgresCopyStore(Bench& bench) {
#ifdef BENCH_POSTGRESQL
  return Before<PostgresCopyStore>(PostgresServer::Start(bench));
#else
  SkipUnbuilt(bench, "libpq");
  return nullptr;
#endif
}

std::unique_ptr<Store> MakeRedisStore(Bench& bench) {
#ifdef BENCH_REDIS
  return Before<RedisStore>(RedisServer::Start(bench));
#else
  SkipUnbuilt(bench, "libhiredis");
  return nullptr;
#endif
}

std::unique_ptr<Store> MakeNatsStore(Bench& bench) {
#ifdef BENCH_NATS
  return Before<NatsStore>(NatsServer::Start(bench));
#else
  SkipUnbuilt(bench, "libnats");
  return nullptr;
#endif
}

}  // namespace updraft
