// `triaged rejudge`: asks for posts to be judged again, after a new model or when a verdict is doubted. The wishes are
// rows: a running server carries them out when it has time, the most urgent posts first.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "app/commands.h"
#include "app/data_place.h"
#include "triage/store/store.h"

namespace triage::app {
namespace {

// In one commit: few enough that a running server's own writes hardly wait.
constexpr std::size_t kAtOnce = 2000;

// "7d" ago, or a time.
Result<Time> since_of(const std::string& text) {
  if (const auto duration = parse_duration(text)) return wall_clock_now() - *duration;
  if (const auto time = parse_time(text)) return *time;
  return make_error(ErrorCode::bad_request,
                    "--since " + text + ": expected a duration (12h, 7d) or a time (2026-11-22T09:30:00Z)");
}

int rejudge(const DataPlace& place, const std::string& since_text) {
  const auto since = since_of(since_text);
  if (!since) return report(since.error());
  const auto found = find_data(place);
  if (!found) return 1;
  auto session = store::open_session(found->directory, false);
  if (!session) return report(session.error());
  std::size_t asked = 0;
  std::optional<PostId> last;
  for (bool more = true; more;) {
    const Result<void> done = (*session)->write([&](store::Writer& writer) {
      const store::Asked some = writer.ask_second_looks(*since, last, kAtOnce);
      asked += some.posts;
      more = some.last.has_value();
      if (more) last = some.last;
    });
    if (!done) return report(done.error());
  }
  std::printf("%zu %s to be judged again\n", asked, asked == 1 ? "post is" : "posts are");
  return 0;
}

}  // namespace

void add_rejudge(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand(
      "rejudge", "Asks for posts to be judged again by the server's present judge; a running server begins at once");
  auto since = std::make_shared<std::string>();
  command->add_option("--since", *since, "Posts that came since then: a duration back from now (7d) or a time")
      ->required()
      ->type_name("WHEN");
  auto place = add_data_place(*command);
  command->callback([=, &exit_code] { exit_code = rejudge(*place, *since); });
}

}  // namespace triage::app
