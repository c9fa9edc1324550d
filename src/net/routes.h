// The table of routes: which handler a method and a path lead to. It knows nothing of connections.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "triage/net/server.h"

namespace triage::net {

class RouteTable {
 public:
  // Throws std::logic_error for a pattern that is not one, and for two routes of one method that match the same paths.
  explicit RouteTable(std::vector<Route> routes);
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;

  struct Match {
    const Route* route = nullptr;
    std::string allow;  // when the path is there with other methods only: those, as the Allow header has them
  };

  // `path` still percent-encoded, so that an encoded slash does not part segments; its encoding must be sound. A
  // literal segment is preferred to a {name}. HEAD finds GET's route. Fills `params`.
  Match find(Method method, std::string_view path, std::vector<std::pair<std::string, std::string>>& params) const;

 private:
  struct Endpoint {
    const Route* route = nullptr;
    std::vector<std::string> names;
  };
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> capture;
    std::array<Endpoint, 8> endpoints;  // by Method
  };
  struct Search;

  static const Endpoint* walk(const Node& node, Search& search, std::size_t depth);
  static const Endpoint* at(const Node& node, Method method);

  std::vector<Route> routes_;
  Node root_;
};

}  // namespace triage::net
