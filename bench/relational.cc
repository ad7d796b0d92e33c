#include "bench/relational.h"

#ifdef UPDRAFT_HAVE_LIBPQ
#include <string>

#include <fmt/format.h>
#include <libpq-fe.h>

namespace updraft {
namespace {

constexpr const char* kSchema = R"(
  CREATE TABLE device (
    id bigint PRIMARY KEY,
    product bigint NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    UNIQUE (product, name));
  CREATE TABLE batch (
    id bigint PRIMARY KEY,
    product bigint NOT NULL,
    target text NOT NULL,
    cursor bigint NOT NULL DEFAULT 0);
  CREATE TABLE task (
    id bigserial PRIMARY KEY,
    batch bigint NOT NULL REFERENCES batch,
    device bigint NOT NULL REFERENCES device,
    state smallint NOT NULL,
    source text NOT NULL,
    step smallint NOT NULL DEFAULT 0,
    created timestamptz NOT NULL DEFAULT now(),
    modified timestamptz NOT NULL DEFAULT now());
  -- Listed by state; and a device has one open task.
  CREATE INDEX task_by_state ON task (batch, state, id);
  CREATE UNIQUE INDEX task_open ON task (device) WHERE state < 4;
)";

// One chunk: the devices after the cursor that do not run the target and have no open task. Returns
// the new cursor.
constexpr const char* kChunk = R"(
  WITH chosen AS (
    SELECT d.id, d.version FROM device d
    WHERE d.product = 1 AND d.id > {} AND d.version <> '2.0.0'
      AND NOT EXISTS (SELECT 1 FROM task t WHERE t.device = d.id AND t.state < 4)
    ORDER BY d.id LIMIT {}
  ), made AS (
    INSERT INTO task (batch, device, state, source) SELECT 1, id, 1, version FROM chosen
    RETURNING device
  )
  UPDATE batch SET cursor = (SELECT max(device) FROM made)
  WHERE id = 1 AND EXISTS (SELECT 1 FROM made) RETURNING cursor
)";

class PostgresFleet final : public RelationalFleet {
 public:
  PostgresFleet(std::unique_ptr<PostgresServer> server, uint64_t devices)
      : server_(std::move(server)),
        connection_(PQconnectdb(server_->conninfo().c_str())),
        devices_(devices) {
    if (PQstatus(connection_) != CONNECTION_OK) Fail("connect to PostgreSQL");
    Run(kSchema);
    Run(
        fmt::format("INSERT INTO device SELECT i, 1, 'device-' || i, '1.0.0' "
                    "FROM generate_series(1, {}) i",
                    devices));
    Run("ANALYZE device");
    // The table of tasks is empty when a plan is made: without this it would be scanned whole for
    // each chunk as it grows.
    Run("SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off");
  }
  ~PostgresFleet() override { PQfinish(connection_); }

  double CreateTasks() override {
    Run("TRUNCATE task, batch");
    Run("CHECKPOINT");
    const double seconds = SecondsOf([&] {
      Run("INSERT INTO batch VALUES (1, 1, '2.0.0')");
      for (std::string cursor = "0"; !cursor.empty();) {
        cursor = Run(fmt::format(kChunk, cursor, kTasksATransaction));
      }
    });
    if (Run("SELECT count(*) FROM task WHERE state = 1") != std::to_string(devices_)) {
      OrDie(Status(StatusCode::kInternal, "tasks are missing"), "count");
    }
    return seconds;
  }

 private:
  [[noreturn]] void Fail(const char* what) {
    OrDie(Status(StatusCode::kUnavailable, PQerrorMessage(connection_)), what);
    std::abort();
  }

  // The first value of the answer; empty when there is none.
  std::string Run(const std::string& sql) {
    PGresult* result = PQexec(connection_, sql.c_str());
    const ExecStatusType status = PQresultStatus(result);
    const std::string value = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
    PQclear(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) Fail("run SQL");
    return value;
  }

  const std::unique_ptr<PostgresServer> server_;
  PGconn* const connection_;
  const uint64_t devices_;
};

}  // namespace

std::unique_ptr<RelationalFleet> RelationalFleet::Start(Bench& bench, uint64_t devices) {
  std::unique_ptr<PostgresServer> server = PostgresServer::Start(bench);
  if (server == nullptr) return nullptr;
  return std::make_unique<PostgresFleet>(std::move(server), devices);
}

}  // namespace updraft

#else

namespace updraft {

std::unique_ptr<RelationalFleet> RelationalFleet::Start(Bench& bench, uint64_t) {
  bench.Skip("built without libpq");
  return nullptr;
}

}  // namespace updraft

#endif
