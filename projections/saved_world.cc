#include "projections/saved_world.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "projections/evolution.h"

namespace updraft {
namespace {

static_assert(std::endian::native == std::endian::little, "values are saved as they lie in memory");

// As many as a segment of a table holds.
constexpr size_t kRunRecordsMax = 4'096;

// No value and no list of a record comes near it.
constexpr uint32_t kValueBytesMax = 1 << 20;

template <class Record, class T>
T ValueOfMember(T Record::*);
template <auto Member>
using ValueOf = decltype(ValueOfMember(Member));

template <class T>
constexpr uint32_t WidthOf() {
  constexpr bool varies = std::is_same_v<T, std::string> || std::is_same_v<T, Tags> ||
                          std::is_same_v<T, std::vector<VersionId>>;
  if constexpr (varies) {
    return 0;
  } else {
    static_assert(std::is_trivially_copyable_v<T>);
    return sizeof(T);
  }
}

void AppendNumber(std::string& bytes, std::unsigned_integral auto number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

template <class Number>
Status ReadNumber(const ReadBytes& read, Number& number) {
  return read(reinterpret_cast<char*>(&number), sizeof(number));
}

Status Misfit(std::string_view what) {
  return Status(StatusCode::kFailedPrecondition,
                fmt::format("another build saved it: {} are not as this build knows them", what));
}

void AppendValue(std::string& bytes, const std::string& value) {
  AppendNumber(bytes, static_cast<uint32_t>(value.size()));
  bytes += value;
}

void AppendValue(std::string& bytes, const std::vector<VersionId>& value) {
  AppendNumber(bytes, static_cast<uint32_t>(value.size()));
  for (VersionId version : value) AppendNumber(bytes, version.value());
}

void AppendValue(std::string& bytes, const Tags& value) {
  AppendNumber(bytes, static_cast<uint32_t>(value.size()));
  for (const auto& [key, text] : value) {
    AppendValue(bytes, key);
    AppendValue(bytes, text);
  }
}

Status ReadSize(const ReadBytes& read, uint32_t& size) {
  RETURN_IF_ERROR(ReadNumber(read, size));
  return size <= kValueBytesMax ? OkStatus() : Misfit("sizes");
}

Status ReadValue(const ReadBytes& read, std::string& value) {
  uint32_t size = 0;
  RETURN_IF_ERROR(ReadSize(read, size));
  value.resize(size);
  return read(value.data(), size);
}

Status ReadValue(const ReadBytes& read, std::vector<VersionId>& value) {
  uint32_t size = 0;
  RETURN_IF_ERROR(ReadSize(read, size));
  for (uint32_t i = 0; i < size; ++i) {
    uint32_t version = 0;
    RETURN_IF_ERROR(ReadNumber(read, version));
    value.emplace_back(version);
  }
  return OkStatus();
}

Status ReadValue(const ReadBytes& read, Tags& value) {
  uint32_t size = 0;
  RETURN_IF_ERROR(ReadSize(read, size));
  for (uint32_t i = 0; i < size; ++i) {
    auto& [key, text] = value.emplace_back();
    RETURN_IF_ERROR(ReadValue(read, key));
    RETURN_IF_ERROR(ReadValue(read, text));
  }
  return OkStatus();
}

// The values of one field in a run of records.
template <auto Member, class Record>
void AppendColumn(std::string& bytes, std::span<const Record> run) {
  using T = ValueOf<Member>;
  constexpr uint32_t width = WidthOf<T>();
  if constexpr (width == 0) {
    for (const Record& record : run) AppendValue(bytes, record.*Member);
  } else {
    const size_t begin = bytes.size();
    bytes.resize(begin + run.size() * width);
    char* to = bytes.data() + begin;
    for (const Record& record : run) {
      std::memcpy(to, &(record.*Member), width);
      to += width;
    }
  }
}

template <auto Member, class Record>
Status ReadColumn(const ReadBytes& read, std::string& bytes, std::span<Record> run) {
  using T = ValueOf<Member>;
  constexpr uint32_t width = WidthOf<T>();
  if constexpr (width == 0) {
    for (Record& record : run) RETURN_IF_ERROR(ReadValue(read, record.*Member));
    return OkStatus();
  } else {
    bytes.resize(run.size() * width);
    RETURN_IF_ERROR(read(bytes.data(), bytes.size()));
    const char* from = bytes.data();
    for (Record& record : run) {
      if constexpr (std::is_same_v<T, bool>) {
        record.*Member = *from != 0;
      } else {
        std::memcpy(&(record.*Member), from, width);
      }
      from += width;
    }
    return OkStatus();
  }
}

struct SavedField {
  uint32_t number = 0;
  uint32_t width = 0;
};

struct SavedTable {
  uint64_t records = 0;
  std::vector<SavedField> fields;
};

template <class F>
void AppendField(std::string& bytes) {
  AppendNumber(bytes, static_cast<uint32_t>(F::number));
  AppendNumber(bytes, WidthOf<ValueOf<F::member>>());
}

template <class... F>
void AppendFields(std::string& bytes, FieldList<F...>) {
  AppendNumber(bytes, static_cast<uint32_t>(sizeof...(F)));
  (AppendField<F>(bytes), ...);
}

template <class Record>
std::string HeadOf(uint64_t records) {
  std::string bytes;
  AppendNumber(bytes, static_cast<uint32_t>(RecordTraits<Record>::kKind));
  AppendNumber(bytes, records);
  AppendFields(bytes, typename RecordTraits<Record>::Fields{});
  return bytes;
}

template <class Record>
Status ReadHead(const ReadBytes& read, SavedTable& saved) {
  uint32_t kind = 0;
  uint32_t fields = 0;
  RETURN_IF_ERROR(ReadNumber(read, kind));
  RETURN_IF_ERROR(ReadNumber(read, saved.records));
  RETURN_IF_ERROR(ReadNumber(read, fields));
  // Each record has bytes, so that a short file cannot ask for much memory.
  const bool possible = kind == RecordTraits<Record>::kKind && fields >= 1 && fields <= 1'000 &&
                        saved.records <= std::numeric_limits<uint32_t>::max();
  if (!possible) return Misfit("records");
  for (uint32_t i = 0; i < fields; ++i) {
    SavedField& field = saved.fields.emplace_back();
    RETURN_IF_ERROR(ReadNumber(read, field.number));
    RETURN_IF_ERROR(ReadNumber(read, field.width));
  }
  return OkStatus();
}

template <class Record, class... F>
void AppendColumns(std::string& bytes, std::span<const Record> run, FieldList<F...>) {
  (AppendColumn<F::member>(bytes, run), ...);
}

template <class Record>
void AppendRun(std::string& bytes, std::span<const Record> run) {
  AppendColumns(bytes, run, typename RecordTraits<Record>::Fields{});
}

// False when `field` is not F.
template <class F, class Record>
bool ReadIfIt(const ReadBytes& read, const SavedField& field, std::string& bytes,
              std::span<Record> run, Status& status) {
  if (field.number != F::number || field.width != WidthOf<ValueOf<F::member>>()) return false;
  status = ReadColumn<F::member>(read, bytes, run);
  return true;
}

template <class Record, class... F>
Status ReadField(const ReadBytes& read, const SavedField& field, std::string& bytes,
                 std::span<Record> run, FieldList<F...>) {
  Status status;
  const bool known = (ReadIfIt<F>(read, field, bytes, run, status) || ...);
  return known ? status : Misfit("fields");
}

// In the order in which the fields were saved.
template <class Record>
Status ReadRun(const ReadBytes& read, const std::vector<SavedField>& fields, std::string& bytes,
               std::span<Record> run) {
  for (const SavedField& field : fields) {
    RETURN_IF_ERROR(ReadField(read, field, bytes, run, typename RecordTraits<Record>::Fields{}));
  }
  return OkStatus();
}

template <class IdType, class Record>
Status SaveTable(const Table<IdType, Record>& table, const WriteBytes& write) {
  RETURN_IF_ERROR(write(HeadOf<Record>(table.size())));
  std::string bytes;
  for (size_t done = 0; done < table.size();) {
    std::span<const Record> run = table.RunFrom(IdType(static_cast<uint32_t>(done + 1)));
    bytes.clear();
    AppendRun(bytes, run);
    RETURN_IF_ERROR(write(bytes));
    done += run.size();
  }
  return OkStatus();
}

template <class IdType, class Record>
Status LoadTable(const ReadBytes& read, Table<IdType, Record>& table) {
  SavedTable saved;
  RETURN_IF_ERROR(ReadHead<Record>(read, saved));
  std::string bytes;
  while (table.size() < saved.records) {
    std::span<Record> run = table.AddRun(saved.records - table.size());
    RETURN_IF_ERROR(ReadRun(read, saved.fields, bytes, run));
  }
  return OkStatus();
}

}  // namespace

// Knows what a world holds, for both ways.
class SavedWorld {
 public:
  static Status Save(const World& world, const WriteBytes& write) {
    RETURN_IF_ERROR(write(HeadOf<Globals>(1)));
    std::string bytes;
    AppendRun(bytes, std::span<const Globals>(&world.globals_, 1));
    RETURN_IF_ERROR(write(bytes));
    Status status;
    ForEachTable(world, [&](const auto& table) {
      if (status.ok()) status = SaveTable(table, write);
    });
    RETURN_IF_ERROR(status);
    RETURN_IF_ERROR(SaveNumbered(world.pushes_in_doubt_, write));
    return SaveNumbered(world.used_tokens_, write);
  }

  static Status Load(const ReadBytes& read, const Digest& digest, World& world) {
    std::string bytes;
    SavedTable saved;
    RETURN_IF_ERROR(ReadHead<Globals>(read, saved));
    if (saved.records != 1) return Misfit("globals");
    RETURN_IF_ERROR(ReadRun(read, saved.fields, bytes, std::span(&world.globals_, 1)));
    Status status;
    ForEachTable(world, [&](auto& table) {
      if (status.ok()) status = LoadTable(read, table);
    });
    RETURN_IF_ERROR(status);
    RETURN_IF_ERROR(LoadNumbered(read, world.globals_.pushes, world.pushes_in_doubt_));
    RETURN_IF_ERROR(LoadNumbered(read, world.globals_.tokens, world.used_tokens_));
    world.digest_ = world.ComputeDigest();
    if (world.digest_ == digest) return OkStatus();
    return Status(StatusCode::kDataLoss,
                  fmt::format("its records add up to the digest {}, the log says {}",
                              world.digest_.ToString(), digest.ToString()));
  }

 private:
  template <class AnyWorld, class Visit>
  static void ForEachTable(AnyWorld& world, Visit visit) {
    visit(world.products_);
    visit(world.modules_);
    visit(world.versions_);
    visit(world.devices_);
    visit(world.installed_);
    visit(world.packages_);
    visit(world.batches_);
    visit(world.tasks_);
    visit(world.keys_);
    visit(world.registrations_);
  }

  // Records that are numbered without a gap up to `last`, and of which the older ones are gone.
  template <class Record>
  static Status SaveNumbered(const std::deque<Record>& kept, const WriteBytes& write) {
    std::vector<Record> records(kept.begin(), kept.end());
    RETURN_IF_ERROR(write(HeadOf<Record>(records.size())));
    std::string bytes;
    for (size_t done = 0; done < records.size();) {
      auto run = std::span<const Record>(records).subspan(done);
      run = run.first(std::min(run.size(), kRunRecordsMax));
      bytes.clear();
      AppendRun(bytes, run);
      RETURN_IF_ERROR(write(bytes));
      done += run.size();
    }
    return OkStatus();
  }

  template <class Record>
  static Status LoadNumbered(const ReadBytes& read, uint64_t last, std::deque<Record>& kept) {
    SavedTable saved;
    RETURN_IF_ERROR(ReadHead<Record>(read, saved));
    if (saved.records > last) return Misfit("numbered records");
    std::string bytes;
    std::vector<Record> records;
    while (records.size() < saved.records) {
      const size_t done = records.size();
      records.resize(std::min<size_t>(saved.records, done + kRunRecordsMax));
      RETURN_IF_ERROR(ReadRun(read, saved.fields, bytes, std::span(records).subspan(done)));
    }
    uint64_t number = last - records.size();
    for (Record& record : records) record.number = ++number;
    kept.assign(records.begin(), records.end());
    return OkStatus();
  }
};

Status SaveWorld(const World& world, const WriteBytes& write) {
  return SavedWorld::Save(world, write);
}

Status LoadWorld(const ReadBytes& read, const Digest& digest, World& world) {
  RETURN_IF_ERROR(SavedWorld::Load(read, digest, world));
  Evolution(world, Seq(), 0).DeriveAll();
  return OkStatus();
}

}  // namespace updraft
