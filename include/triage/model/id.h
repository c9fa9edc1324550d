// Identifiers: UUIDv7 (RFC 9562), so that rows written together lie together. One C++ type for each kind of thing, so
// that a case's id cannot be passed where a post's is wanted.
#pragma once

#include <array>
#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "triage/model/time.h"

namespace triage {

using UuidText = std::array<char, 36>;

// A new UUIDv7 for `time`, lower case. Ids made by one thread in the same millisecond ascend. Thread-safe; the random
// bits come from a generator seeded by the operating system, so an id is not a secret.
UuidText make_uuid7(Time time);

// True for 8-4-4-4-12 lower- or upper-case hex digits.
bool is_uuid(std::string_view text);

template <class Tag>
class Id {
 public:
  Id() { text_.fill('0'); }

  static Id make(Time time) { return Id(make_uuid7(time)); }
  static std::optional<Id> parse(std::string_view text) {
    if (!is_uuid(text)) return std::nullopt;
    Id id;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      id.text_[i] = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return id;
  }

  std::string_view view() const { return {text_.data(), text_.size()}; }
  std::string str() const { return std::string(view()); }

  friend auto operator<=>(const Id&, const Id&) = default;

 private:
  explicit Id(const UuidText& text) : text_(text) {}
  UuidText text_;
};

using PostId = Id<struct PostTag>;
using AuthorId = Id<struct AuthorTag>;
using CaseId = Id<struct CaseTag>;
using EscalationId = Id<struct EscalationTag>;
using DeliveryId = Id<struct DeliveryTag>;
using NoteId = Id<struct NoteTag>;
using ReplyId = Id<struct ReplyTag>;
using TokenId = Id<struct TokenTag>;

}  // namespace triage

template <class Tag>
struct std::hash<triage::Id<Tag>> {
  std::size_t operator()(const triage::Id<Tag>& id) const noexcept { return std::hash<std::string_view>()(id.view()); }
};
