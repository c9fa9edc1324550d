// How posts and replies change a case. Pure: rows and times in, rows out.
#pragma once

#include <optional>
#include <vector>

#include "triage/desk/policy.h"
#include "triage/store/records.h"

namespace triage::desk {

// Which case a post belongs to.
enum class Joining { opens, joins, reopens };
struct Placement {
  Joining how = Joining::opens;
  std::optional<std::size_t> index;  // into the candidates; none when it opens
};

// `candidates`: the author's cases of that platform and brand account, the one with the latest post first; without an
// author, the conversation's case alone. `conversation`: the case of the post's conversation, if any.
//
// An open case is joined when the post belongs to its conversation or comes within join_within of its last post. So is
// one that is closed because nothing in it was actionable. A case resolved within reopen_within is reopened; by a post
// that is not actionable (a thank-you) it is joined and stays resolved.
Placement place(const Post& post, bool actionable, const std::vector<store::CaseRecord>& candidates,
                const std::optional<CaseId>& conversation, const Policy& policy);

// What the judge should know of the customer and the case.
Context context_of(const Post& post, const store::CaseRecord* c, const store::AuthorRecord* author, bool reopens);

// A new case of that post.
store::CaseRecord open_case(const Post& post, const std::optional<AuthorId>& author, const Verdict& verdict,
                            const Decision& decision, Time now);

// The customer's next post. The case takes the most urgent verdict since the brand's last reply.
void add_post(store::CaseRecord& c, const Post& post, const Verdict& verdict, const Decision& decision, bool reopens,
              Time now);

// Whether it is the customer's and speaks for its case: judged, or shown to agents though nobody could read it yet.
bool speaks(const store::PostRecord& post);

// Verdicts of a case whose posts were edited, deleted or judged again, anew, from those of `posts` that speak.
void rejudge(store::CaseRecord& c, const std::vector<store::PostRecord>& posts, Time now);

// A post of the case, whose verdict is new, decides where the case goes and when it wants an answer. A case that was
// closed because nothing in it was actionable opens.
void follow(store::CaseRecord& c, const Post& post, const Verdict& verdict, const Decision& decision, Time now);

// Nothing in it is actionable after all: closed, and without a clock. Only for a case that nobody works on.
void close_unactionable(store::CaseRecord& c, Time now);

// What a case nobody holds is: waiting for the customer once they were answered, otherwise new.
store::CaseState unclaimed(const store::CaseRecord& c);

// The brand answered in public, or from the desk.
void add_reply(store::CaseRecord& c, Time replied_at, Time now);

// A resolution ends claim and clocks.
void resolve(store::CaseRecord& c, store::Outcome outcome, std::string note, Time now);

// The response clock ran out.
void mark_overdue(store::CaseRecord& c, Time now);

}  // namespace triage::desk
