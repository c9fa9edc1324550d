// The calls of the REST contract, each a coroutine; api.cpp has the table that gives them their paths.
#pragma once

#include "desk/call.h"

namespace triage::desk {

boost::asio::awaitable<Answer> get_queue(Call& call);
boost::asio::awaitable<Answer> claim_from_queue(Call& call);

boost::asio::awaitable<Answer> get_case(Call& call);
boost::asio::awaitable<Answer> get_timeline(Call& call);
boost::asio::awaitable<Answer> claim_case(Call& call);
boost::asio::awaitable<Answer> release_case(Call& call);
boost::asio::awaitable<Answer> add_note(Call& call);
boost::asio::awaitable<Answer> correct_case(Call& call);
boost::asio::awaitable<Answer> reply_to_case(Call& call);
boost::asio::awaitable<Answer> resolve_case(Call& call);

boost::asio::awaitable<Answer> list_escalations(Call& call);
boost::asio::awaitable<Answer> acknowledge_escalation(Call& call);
boost::asio::awaitable<Answer> resolve_escalation_call(Call& call);
// By the signed link of a callback, without a token.
boost::asio::awaitable<Answer> show_escalation_link(Call& call);
boost::asio::awaitable<Answer> use_escalation_link(Call& call, bool resolve);

boost::asio::awaitable<Answer> list_deliveries(Call& call);
boost::asio::awaitable<Answer> retry_delivery(Call& call);
boost::asio::awaitable<Answer> enable_team(Call& call);
boost::asio::awaitable<Answer> list_teams(Call& call);
boost::asio::awaitable<Answer> list_sites(Call& call);

// Gives `c` to the caller until then, and plans the lease's end.
void take_claim(store::Writer& writer, store::CaseRecord& c, const Caller& caller, Time until, Time now,
                Effects& effects);

}  // namespace triage::desk
