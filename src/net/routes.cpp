#include "net/routes.h"

#include <stdexcept>

#include "net/text.h"

namespace triage::net {
namespace {

constexpr std::size_t kMaxSegments = 16;
constexpr std::array kMethods{Method::get,   Method::head, Method::post,   Method::put,
                              Method::patch, Method::del,  Method::options};

struct Segments {
  std::array<std::string_view, kMaxSegments> at;
  std::size_t count = 0;
  bool too_many = false;
};

// "/v1/cases/" has the segments "v1", "cases" and "".
Segments split(std::string_view path) {
  Segments out;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t slash = path.find('/');
    if (out.count == kMaxSegments) {
      out.too_many = true;
      break;
    }
    out.at[out.count++] = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash);
  }
  return out;
}

bool is_capture(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

}  // namespace

struct RouteTable::Search {
  Method method;
  const Segments& segments;
  std::array<std::size_t, kMaxSegments> captured{};  // which segments the {names} matched so far
  std::size_t captures = 0;
  std::array<bool, 8> other{};  // methods that the path is there with
};

RouteTable::RouteTable(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (const Route& route : routes_) {
    const std::string_view pattern = route.pattern;
    const Segments segments = split(pattern);
    if (pattern.empty() || pattern.front() != '/' || segments.too_many || !route.handler ||
        route.method == Method::other) {
      throw std::logic_error("not a route: " + route.pattern);
    }
    Node* node = &root_;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < segments.count; ++i) {
      const std::string_view segment = segments.at[i];
      const bool capture = is_capture(segment);
      auto& child = capture ? node->capture : node->literals[std::string(segment)];
      if (capture) names.emplace_back(segment.substr(1, segment.size() - 2));
      if (!child) child = std::make_unique<Node>();
      node = child.get();
    }
    Endpoint& endpoint = node->endpoints.at(static_cast<std::size_t>(route.method));
    if (endpoint.route) throw std::logic_error("two routes for " + route.pattern);
    endpoint = Endpoint{&route, std::move(names)};
  }
}

const RouteTable::Endpoint* RouteTable::at(const Node& node, Method method) {
  const Endpoint& endpoint = node.endpoints.at(static_cast<std::size_t>(method));
  if (endpoint.route) return &endpoint;
  return method == Method::head ? at(node, Method::get) : nullptr;
}

const RouteTable::Endpoint* RouteTable::walk(const Node& node, Search& search, std::size_t depth) {
  if (depth == search.segments.count) {
    const Endpoint* found = at(node, search.method);
    for (const Method method : kMethods) {
      if (at(node, method)) search.other.at(static_cast<std::size_t>(method)) = true;
    }
    return found;
  }

  const std::string_view segment = search.segments.at[depth];
  auto literal = node.literals.end();
  if (segment.find('%') == std::string_view::npos) {
    literal = node.literals.find(segment);
  } else {
    std::string decoded;
    percent_decode(segment, false, decoded);
    literal = node.literals.find(decoded);
  }
  if (literal != node.literals.end()) {
    if (const Endpoint* found = walk(*literal->second, search, depth + 1)) return found;
  }
  if (node.capture && !segment.empty()) {
    search.captured[search.captures++] = depth;
    if (const Endpoint* found = walk(*node.capture, search, depth + 1)) return found;
    --search.captures;
  }
  return nullptr;
}

RouteTable::Match RouteTable::find(Method method, std::string_view path,
                                   std::vector<std::pair<std::string, std::string>>& params) const {
  const Segments segments = split(path);
  Match match;
  if (segments.too_many) return match;

  Search search{method, segments, {}, 0, {}};
  const Endpoint* found = walk(root_, search, 0);
  if (found) {
    match.route = found->route;
    for (std::size_t i = 0; i < found->names.size(); ++i) {
      auto& param = params.emplace_back(found->names[i], std::string());
      percent_decode(segments.at[search.captured[i]], false, param.second);
    }
    return match;
  }

  for (const Method other : kMethods) {
    if (!search.other.at(static_cast<std::size_t>(other))) continue;
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += to_string(other);
  }
  // OPTIONS is answered for every path that is there.
  if (!match.allow.empty() && !search.other.at(static_cast<std::size_t>(Method::options))) match.allow += ", OPTIONS";
  return match;
}

}  // namespace triage::net
