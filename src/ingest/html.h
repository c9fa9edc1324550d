// HTML as platforms send it, made into the text that a browser would show.
#pragma once

#include <string>
#include <string_view>

namespace triage::ingest {

// Tags are taken off: a paragraph stands apart by an empty line, <br> and other blocks begin a new line, white space
// is one space, entities are characters, script and style are left out, and so are the parts of a link that Mastodon
// marks as invisible. Broken HTML is read much as a browser reads it. In linear time.
std::string html_to_text(std::string_view html);

}  // namespace triage::ingest
