// Opening: what is ours is brought up to date, what is not is left alone.
#include <sqlite3.h>
#include <sys/stat.h>

#include <array>

#include "store/schema.h"
#include "unit/store/world.h"

namespace triage::store::testing {
namespace {

void run(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

int mode_of(const std::filesystem::path& path) {
  struct stat status {};
  ::stat(path.c_str(), &status);
  return static_cast<int>(status.st_mode & 0777U);
}

std::string refusal(const std::filesystem::path& directory) {
  const auto opened = open(options_in(directory));
  return opened ? "" : opened.error().detail;
}

TEST(Opening, AMissingDirectoryIsMadeForTheOwnerAlone) {
  const TempDir dir;
  const auto store = open_or_throw(options_in(dir.path() / "deep" / "data"));
  must_write(*store, [](Writer& w) { w.insert_post(sample_post("1")); });
  EXPECT_EQ(mode_of(dir.path() / "deep" / "data"), 0700);
  for (const char* name : {"triaged.db", "triaged.db-wal", "triaged.db-shm", "triaged.lock", "triaged.turn"}) {
    EXPECT_EQ(mode_of(dir.path() / "deep" / "data" / name), 0600) << name;
  }
}

TEST(Opening, AnEmptyFileBecomesADatabaseOfTheNewestVersion) {
  const TempDir dir;
  std::filesystem::create_directory(dir.data());
  std::ofstream(dir.database()).flush();
  open_or_throw(options_in(dir.data())).reset();
  Connection connection(dir.database(), {});
  EXPECT_EQ(connection.integer("PRAGMA user_version"), static_cast<std::int64_t>(migrations().size()));
  EXPECT_EQ(connection.text("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(connection.text("PRAGMA integrity_check"), "ok");
}

TEST(Opening, ADatabaseOfANewerVersionIsRefusedAndLeftAsItIs) {
  const TempDir dir;
  open_or_throw(options_in(dir.data())).reset();
  run(dir.database(), "PRAGMA user_version = 99");
  EXPECT_NE(refusal(dir.data()).find("newer version"), std::string::npos) << refusal(dir.data());
  EXPECT_EQ(Connection(dir.database(), {}).integer("PRAGMA user_version"), 99);
}

TEST(Opening, SomebodyElsesDatabaseIsRefusedAndLeftAsItIs) {
  const TempDir dir;
  std::filesystem::create_directory(dir.data());
  run(dir.database(), "CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup')");
  EXPECT_NE(refusal(dir.data()).find("not a database of triaged"), std::string::npos) << refusal(dir.data());
  Connection connection(dir.database(), {});
  EXPECT_EQ(connection.text("SELECT name FROM recipes"), "soup");
  EXPECT_EQ(connection.text("PRAGMA journal_mode"), "delete");
}

TEST(Opening, AFileThatIsNoDatabaseIsRefused) {
  const TempDir dir;
  std::filesystem::create_directory(dir.data());
  std::ofstream(dir.database()) << std::string(8192, 'x');
  EXPECT_NE(refusal(dir.data()), "");
}

TEST(Opening, ASecondServerIsRefusedUntilTheFirstIsGone) {
  const TempDir dir;
  auto first = open_or_throw(options_in(dir.data()));
  EXPECT_NE(refusal(dir.data()).find("another server"), std::string::npos) << refusal(dir.data());
  first.reset();
  EXPECT_EQ(refusal(dir.data()), "");
}

TEST(Opening, ADirectoryThatCannotBeMadeIsAClearError) {
  const TempDir dir;
  std::ofstream(dir.path() / "file").flush();
  EXPECT_NE(refusal(dir.path() / "file" / "data").find((dir.path() / "file").string()), std::string::npos);
}

TEST(Opening, EachMigrationIsATransactionOfItsOwn) {
  const TempDir dir;
  Connection::Settings settings;
  settings.create = true;
  Connection connection(dir.path() / "steps.db", settings);
  const std::array<const char*, 3> steps{"CREATE TABLE a (x); INSERT INTO a VALUES (1);",
                                         "ALTER TABLE a ADD COLUMN y; UPDATE a SET y = 2;",
                                         "CREATE TABLE b (x); INSERT INTO missing VALUES (1);"};
  const std::span<const char* const> all(steps);
  EXPECT_EQ(inspect(connection, all), Schema::empty);
  migrate(connection, all.first(1));
  EXPECT_EQ(connection.integer("PRAGMA user_version"), 1);
  EXPECT_THROW(migrate(connection, all), std::runtime_error);
  // The second step is there, and nothing of the third.
  EXPECT_EQ(connection.integer("PRAGMA user_version"), 2);
  EXPECT_EQ(connection.integer("SELECT x + y FROM a"), 3);
  EXPECT_EQ(connection.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'b'"), 0);
  EXPECT_EQ(inspect(connection, all), Schema::ours);
  EXPECT_EQ(inspect(connection, all.first(1)), Schema::newer);
  migrate(connection, all.first(2));
  EXPECT_EQ(connection.integer("PRAGMA user_version"), 2);
}

}  // namespace
}  // namespace triage::store::testing
