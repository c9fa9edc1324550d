// What a text says of how long its trouble goes on, of vulnerable people and of danger, in its own words: facts that a
// brand may weigh for itself. What they are worth in the text's own urgency the model has learnt; this knows no
// weights.
#pragma once

#include <string_view>

#include "classify/tokenizer.h"
#include "triage/model/post.h"
#include "triage/model/verdict.h"

namespace triage::classify {

// `verdict` has its topic: words of danger ("shock", "burnt") count where the post is about safety.
Said said_in(const Tokens& tokens, const Post& post, const Verdict& verdict);

}  // namespace triage::classify
