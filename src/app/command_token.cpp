// `triaged token create|list|revoke`: who may use the API. A secret is printed once, by create, and kept nowhere.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "app/commands.h"
#include "app/data_place.h"
#include "triage/desk/access.h"
#include "triage/store/store.h"

namespace triage::app {
namespace {

int usage(const std::string& what) {
  std::fprintf(stderr, "triaged: %s\n", what.c_str());
  return 1;
}

int create(const DataPlace& place, const std::string& role_name, const std::string& name, const std::string& team) {
  const auto role = store::parse_role(role_name);
  if (!role) return usage("--role " + role_name + ": expected agent, ops, supervisor or admin");
  if (name.empty()) return usage("--name is empty: expected the name that colleagues will see");
  if (*role == store::Role::ops && team.empty()) {
    return usage("--team is missing: an ops token sees the cases that were escalated to its team");
  }
  const auto found = find_data(place);
  if (!found) return 1;
  if (!team.empty() && found->teams &&
      std::find(found->teams->begin(), found->teams->end(), team) == found->teams->end()) {
    return usage("--team " + team + ": the configuration has no team of that name");
  }

  auto session = store::open_session(found->directory, true);
  if (!session) return report(session.error());
  const std::string secret = desk::make_token_secret();
  store::TokenRecord token;
  const Time now = wall_clock_now();
  token.id = TokenId::make(now);
  token.name = name;
  token.role = *role;
  token.team = team;
  token.hash = desk::hash_token_secret(secret);
  token.created_at = now;
  const Result<void> done = (*session)->write([&](store::Writer& writer) { writer.insert_token(token); });
  if (!done) return report(done.error());
  std::printf("%s\n", secret.c_str());
  return 0;
}

int list(const DataPlace& place) {
  const auto found = find_data(place);
  if (!found) return 1;
  auto session = store::open_session(found->directory, false);
  if (!session) return report(session.error());
  std::vector<store::TokenRecord> tokens;
  const Result<void> done = (*session)->read([&](store::Reader& reader) { tokens = reader.tokens(); });
  if (!done) return report(done.error());
  const auto when = [](const std::optional<Time>& time) { return time ? format_time(*time) : std::string("-"); };
  std::printf("%-36s  %-10s  %-20s  %-16s  %-24s  %-24s  %s\n", "ID", "ROLE", "NAME", "TEAM", "CREATED", "LAST USED",
              "REVOKED");
  for (const auto& token : tokens) {
    std::printf("%-36s  %-10s  %-20s  %-16s  %-24s  %-24s  %s\n", token.id.str().c_str(),
                std::string(to_string(token.role)).c_str(), token.name.c_str(),
                token.team.empty() ? "-" : token.team.c_str(), format_time(token.created_at).c_str(),
                when(token.last_used_at).c_str(), when(token.revoked_at).c_str());
  }
  return 0;
}

int revoke(const DataPlace& place, const std::string& text) {
  const auto id = TokenId::parse(text);
  if (!id) return usage(text + " is not a token's id: `triaged token list` shows them");
  const auto found = find_data(place);
  if (!found) return 1;
  auto session = store::open_session(found->directory, false);
  if (!session) return report(session.error());
  bool revoked = false;
  const Result<void> done =
      (*session)->write([&](store::Writer& writer) { revoked = writer.revoke_token(*id, wall_clock_now()); });
  if (!done) return report(done.error());
  if (!revoked) return usage("there is no token " + text + " that is not revoked yet");
  std::printf("revoked %s\n", text.c_str());
  return 0;
}

}  // namespace

void add_token(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand("token", "Makes, lists and revokes access tokens; holds within a second");
  command->require_subcommand(1);
  {
    CLI::App* sub = command->add_subcommand("create", "Prints the secret of a new token alone on stdout, once");
    auto role = std::make_shared<std::string>();
    auto name = std::make_shared<std::string>();
    auto team = std::make_shared<std::string>();
    sub->add_option("--role", *role, "agent, ops, supervisor or admin")->required();
    sub->add_option("--name", *name, "Who it is for, as colleagues will see it")->required();
    sub->add_option("--team", *team, "The team whose cases it sees; without one: all teams");
    auto place = add_data_place(*sub);
    sub->callback([=, &exit_code] { exit_code = create(*place, *role, *name, *team); });
  }
  {
    CLI::App* sub = command->add_subcommand("list", "Shows all tokens, without their secrets");
    auto place = add_data_place(*sub);
    sub->callback([=, &exit_code] { exit_code = list(*place); });
  }
  {
    CLI::App* sub = command->add_subcommand("revoke", "Ends a token");
    auto id = std::make_shared<std::string>();
    sub->add_option("ID", *id, "The token's id, from `triaged token list`")->required();
    auto place = add_data_place(*sub);
    sub->callback([=, &exit_code] { exit_code = revoke(*place, *id); });
  }
}

}  // namespace triage::app
