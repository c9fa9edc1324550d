#include "classify/lexicon.h"

#include <bit>
#include <string>

#include "classify/glossary.h"
#include "classify/hash.h"

namespace triage::classify {
namespace {

struct CueWords {
  Cue cue;
  std::string_view words;  // separated by spaces; a phrase of two or three words is joined by '_'
};

constexpr CueWords kCueWords[] = {
    {Cue::now,
     "now currently presently tonight today atm live right_now at_the_moment as_we_speak at_this_moment this_morning "
     "this_afternoon this_evening so_far right_this_minute as_of_now this_second at_present at_this_point "
     "this_instant"},
    {Cue::still,
     "still yet not_yet no_sign keep keeps keep_on again remains ongoing continues continually constantly "
     "keeps_saying keep_getting no_longer nothing_yet as_yet"},
    {Cue::just, "just only_just just_now literally already"},
    {Cue::waiting,
     "waiting wait queue queuing queueing queues line lines hold holding on_hold in_line been_waiting been_on "
     "been_sitting been_trying been_stuck been_standing been_delayed been_down been_out have_been has_been past_hour "
     "keeps_pushing pushed_back and_counting hour_now hours_now"},
    {Cue::waited, "waited queued took_forever took_hours took_ages had_to_wait"},
    {Cue::stuck, "stuck stranded trapped locked locked_out stranding cant_get stuck_on stuck_in stuck_at grounded"},
    {Cue::here,
     "here tarmac gate runway boarding aboard onboard platform lobby terminal airport carousel standing sitting sat "
     "outside reception at_the_gate on_board on_the_plane on_the_train on_the_tarmac in_the_queue in_the_store "
     "in_store"},
    {Cue::missing, "miss missing gonna_miss will_miss going_to_miss make_it in_time on_time late_for"},
    {Cue::missed, "missed made_us_miss made_me_miss"},
    {Cue::connection,
     "connection connecting connect connections layover transfer interview wedding funeral surgery "
     "appointment exam meeting concert cruise"},
    {Cue::delay,
     "delay delayed delays delaying late later behind diverted divert rescheduled reschedule overdue slow "
     "running_late hour_delay"},
    {Cue::cancelled, "cancelled cancellation cancellations cancel cancelling cancels"},
    {Cue::soon,
     "soon minutes tomorrow leaves departs departing leaving deadline expires closes closing in_an_hour "
     "about_to last_train last_flight last_bus due before before_i next_hour in_time starts begins urgent "
     "urgently asap immediately hurry emergency"},
    {Cue::broken,
     "down broken broke dead frozen offline outage unavailable faulty defective damaged cracked leaking "
     "smashed not_working doesnt_work dont_work wont_work isnt_working arent_working stopped_working "
     "not_loading wont_load went_down out_of_order no_power no_signal no_service no_internet no_water no_heat"},
    {Cue::failing,
     "error errors crash crashing crashes crashed freezing freezes bug bugs glitch glitchy failing fails "
     "fail failed buffering lag lagging laggy loading load timed_out logs_me keeps_crashing wont_let "
     "not_let doesnt_let stopped stops reset rejected declined invalid unable"},
    {Cue::negation,
     "not no never none nothing nobody nowhere neither nor cant cannot wont dont doesnt didnt isnt arent "
     "wasnt werent havent hasnt hadnt couldnt shouldnt wouldnt without unable aint"},
    {Cue::yesterday,
     "yesterday ago earlier previous previously last_night last_week last_month last_year last_time last_weekend "
     "the_other_day other_day last_summer last_monday last_tuesday last_wednesday last_thursday last_friday "
     "last_saturday last_sunday back_in once recently used_to months_ago weeks_ago days_ago in_the_past after_that "
     "when_i_got ended_up turned_out when_we_got"},
    {Cue::was,
     "was were had did went got came said told took gave made left paid bought ordered flew stayed ate called asked "
     "sent received arrived lost ended spent charged refused booked landed wasnt werent didnt hadnt couldnt tried "
     "found knew thought felt heard saw kept let met ran put became brought drove served cost dropped"},
    {Cue::is_now, "is are am be being isnt arent has have havent hasnt do does doesnt dont cant wont says saying"},
    {Cue::future,
     "will gonna wanna upcoming next would could should might planning plan hoping hope thinking considering"},
    {Cue::going,
     "going trying getting looking using coming calling having doing taking making flying travelling "
     "moving happening running working showing telling asking giving"},
    {Cue::first_person, "i we my our me us mine myself ourselves"},
    {Cue::second_person, "you your yours yourself yall"},
    {Cue::asking,
     "what when where why who how which whats hows whos anyone anybody wondering wonder do_you are_you can_you "
     "could_you will_you would_you have_you is_there are_there does_anyone is_it do_i can_i should_i may_i am_i will_i "
     "any_chance any_idea how_long how_do how_much how_can when_will when_is what_time is_this any_way"},
    {Cue::able, "can could possible able allowed allow available offer accept"},
    {Cue::thanks,
     "thanks thank appreciate appreciated appreciates grateful kudos shoutout props thankyou cheers thank_you "
     "big_thanks shout_out hats_off"},
    {Cue::positive,
     "good great awesome amazing love loved loving excellent best fantastic wonderful nice perfect brilliant helpful "
     "friendly happy glad enjoy enjoyed beautiful impressed smooth quick lovely superb outstanding pleased delicious "
     "fab fabulous incredible delighted stellar class top kind sweet yay yum gem legend legends star rocks rock "
     "well_done made_my saved_my went_above above_and_beyond"},
    {Cue::negative,
     "bad worst terrible horrible awful disappointed disappointing disgusting pathetic ridiculous joke useless rude "
     "poor "
     "unacceptable shocking shocked disgrace appalling appalled hate sucks suck crap shit shitty wtf ffs furious angry "
     "frustrated frustrating frustration annoying annoyed shame shameful disgraceful incompetent incompetence fuming "
     "livid absurd insane garbage trash rubbish nightmare mess fuck fucking bullshit bs damn sick upset unhappy "
     "disrespectful unprofessional poorly embarrassing outrageous lies lie lied liars scam ripoff screwed dreadful "
     "atrocious abysmal not_happy not_good not_impressed let_down fed_up"},
    {Cue::verdict,
     "never_again ever always worst never every_time no_wonder everytime not_impressed never_fly never_using last_time "
     "worst_airline customer_service worst_service typical as_usual per_usual avoid years nowadays"},
    {Cue::money,
     "refund refunded refunds money compensation voucher vouchers reimburse reimbursed reimbursement credit price "
     "prices fee fees cost costs pay paying payment payments cash discount promo fare fares expensive cheap euros "
     "dollars pounds quid bucks gift_card money_back"},
    {Cue::charged,
     "charged charge charges overcharged bill billed billing invoice debited debit deducted withdrawn double_charged "
     "charged_twice subscription contract card"},
    {Cue::help,
     "help please assist assistance need needs sort fix resolve solve advise can_someone someone_help need_help "
     "please_help can_you could_you get_back call_me contact_me let_me_know"},
    {Cue::direct_message,
     "dm dms dmed pm inbox message messaged messages emailed email follow following followed "
     "sent_you check_your sent_a"},
    {Cue::danger,
     "fire smoke smoking burning burn burned burnt flames gas leak leaking injured injury injuries hurt bleeding blood "
     "ambulance hospital police dangerous danger unsafe allergic allergy allergies reaction anaphylaxis epipen choking "
     "choked faint fainted unconscious collapsed explode exploded exploding sparks sparking shock electrocuted "
     "flooding "
     "flooded threatened threatening assault assaulted harassed harassing harassment groped weapon gun knife poisoned "
     "poisoning vomiting overheating overheated heart_attack seizure passed_out carbon_monoxide melted melting glass "
     "peanut peanuts nuts gluten"},
    {Cue::fraud,
     "fraud fraudulent hacked hacker hackers scam scammed scammer scammers stolen unauthorised unauthorized phishing "
     "identity someone_is_using someone_has_used not_me wasnt_me compromised breach"},
    {Cue::vulnerable,
     "baby babies infant newborn toddler child children kid kids son daughter mother mum mom dad father grandmother "
     "grandma nan gran grandad grandpa elderly disabled disability wheelchair pregnant diabetic insulin medication "
     "medicine meds oxygen blind deaf autistic dementia cancer asthma asthmatic surgery chemo dialysis inhaler "
     "prescription year_old yr_old"},
    {Cue::staff,
     "staff agent agents rep reps representative representatives employee employees driver drivers crew attendant "
     "attendants manager managers waiter waitress cashier receptionist pilot steward supervisor team guy lady woman "
     "man "
     "girl operator captain rude attitude courier technician engineer engineers advisor adviser conductor person "
     "people"},
    {Cue::phone,
     "phone call calls called calling answer answering answers answered ring hung hang_up number "
     "disconnected voicemail phones reach through get_through speak talk chat reply respond response "
     "responding replied responded ignored ignoring hold human"},
    {Cue::luggage, "bag bags luggage baggage suitcase suitcases carousel stroller bag_claim"},
    {Cue::parcel,
     "parcel package packages parcels delivery deliver delivered delivering deliveries courier order "
     "orders shipped shipping tracking dispatch dispatched doorstep depot post item items"},
    {Cue::food,
     "food meal coffee burger pizza chicken sandwich breakfast lunch dinner drink drinks fries milk bread "
     "salad cheese taste tasted restaurant menu beer wine tea snack meat steak soup egg eggs rice"},
    {Cue::app,
     "app apps site website page online server servers login log_in sign_in logged password log account "
     "update browser portal checkout system software version code link button screen"},
    {Cue::network,
     "wifi internet broadband signal network data coverage cable tv channel channels router power "
     "electricity connection speed speeds streaming stream 4g 3g lte"},
    {Cue::device,
     "phone iphone ipad battery laptop macbook watch printer keyboard console controller xbox ps4 "
     "headphones charger device tablet computer pc camera android ios windows kindle echo"},
    {Cue::booking,
     "booking booked reservation reservations seat seats upgrade upgraded checkin check_in rebook rebooked rebooking "
     "standby confirmation miles points status membership rewards ticket tickets itinerary bumped oversold overbooked "
     "name date passport boarding_pass"},
    {Cue::dirt,
     "dirty filthy cold mould mouldy mold moldy stale rotten smell smells stink stinks hair bugs raw "
     "undercooked broken stained gross expired soggy quality cramped uncomfortable hot freezing"},
    {Cue::chatter,
     "contest win giveaway enter winner congrats congratulations birthday proud excited lol check_out "
     "sponsored join us blog news via photo fun story stock ceo commercial ad ads advert tweet tweets "
     "hiring job jobs career launch introducing free sale deals"},
    {Cue::humour, "lol haha hahaha lmao rofl hehe lmfao lolol joking kidding"},
    {Cue::mock_praise,
     "great_job nice_job good_job well_done way_to_go nice_one thanks_for_nothing oh_great bravo love_how love_that "
     "love_it_when obviously apparently congratulations so_much_for thanks_for_the just_what good_work nice_work "
     "slow_clap "
     "thanks_a_lot thanks_to nice_touch top_marks"},
    {Cue::solved,
     "sorted fixed resolved solved working back_up all_good no_worries never_mind nevermind got_it received "
     "no_problem works_now working_now finally understood found_it will_do just_did ok okay"},
    {Cue::update,
     "update updates news information info eta status any_update any_news explanation communication "
     "announcement any_updates"},
    {Cue::unit_short, "minute minutes hour hours second seconds"},
    {Cue::unit_long, "day days week weeks month months year years"},
    {Cue::week_day, "monday tuesday wednesday thursday friday saturday sunday weekend morning afternoon evening night"},
    {Cue::quantity,
     "one two three four five six seven eight nine ten twelve twenty thirty half several couple few many "
     "multiple dozen hundred another over third second twice times"},
    {Cue::brand_switch,
     "switch switching switched competitor competitors elsewhere instead stick_to alternative "
     "boycott leaving cancel_my moving_to next_time bye goodbye"},
    {Cue::wish,
     "wish hope would_love would_like id_like id_love bring_back looking_forward cant_wait suggestion "
     "suggest feedback consider add"},
    {Cue::lost,
     "lost missing stolen lose losing misplaced wrong empty gone disappeared never_arrived not_arrived "
     "didnt_arrive hasnt_arrived not_here"},
    {Cue::quiet,
     "no_one noone nobody no_answer no_reply no_response no_help no_info no_information no_communication "
     "no_explanation no_update no_updates no_agents no_staff nobody_knows one_knows no_crew"},
    {Cue::travel,
     "flight flights plane train trains bus airport airline fly flying flew trip travel landed gate pilot "
     "crew passengers aircraft station rail ride cab taxi ferry"},
    {Cue::intensifier,
     "so very really absolutely totally completely seriously extremely utterly literally beyond such "
     "too super actually honestly"},
    {Cue::but, "but however although though except yet despite even_though"},
    {Cue::someone,
     "someone somebody anyone anybody everyone everybody others another_customer other_passengers friend "
     "wife husband family he she they"},
    {Cue::every,
     "every each all always everytime every_time constantly whole entire everyone nationwide everywhere "
     "multiple_times third_time second_time"},
};

constexpr Spelling kSpellings[] = {
    {"u", "you", ""},
    {"ur", "your", ""},
    {"r", "are", ""},
    {"pls", "please", ""},
    {"plz", "please", ""},
    {"plse", "please", ""},
    {"thx", "thanks", ""},
    {"tnx", "thanks", ""},
    {"thnx", "thanks", ""},
    {"thks", "thanks", ""},
    {"thanx", "thanks", ""},
    {"ty", "thank", "you"},
    {"tysm", "thank", "you"},
    {"cuz", "because", ""},
    {"bc", "because", ""},
    {"coz", "because", ""},
    {"cos", "because", ""},
    {"b4", "before", ""},
    {"2day", "today", ""},
    {"tmrw", "tomorrow", ""},
    {"tmr", "tomorrow", ""},
    {"tomo", "tomorrow", ""},
    {"tmw", "tomorrow", ""},
    {"tomoz", "tomorrow", ""},
    {"2moro", "tomorrow", ""},
    {"2nite", "tonight", ""},
    {"tonite", "tonight", ""},
    {"ppl", "people", ""},
    {"hr", "hour", ""},
    {"hrs", "hours", ""},
    {"min", "minute", ""},
    {"mins", "minutes", ""},
    {"sec", "second", ""},
    {"secs", "seconds", ""},
    {"wk", "week", ""},
    {"wks", "weeks", ""},
    {"yr", "year", ""},
    {"yrs", "years", ""},
    {"mth", "month", ""},
    {"mths", "months", ""},
    {"msg", "message", ""},
    {"msgs", "messages", ""},
    {"acct", "account", ""},
    {"acc", "account", ""},
    {"cust", "customer", ""},
    {"svc", "service", ""},
    {"flt", "flight", ""},
    {"flts", "flights", ""},
    {"canceled", "cancelled", ""},
    {"canceling", "cancelling", ""},
    {"cancellation", "cancellation", ""},
    {"cancelation", "cancellation", ""},
    {"rn", "right", "now"},
    {"im", "i", "am"},
    {"ive", "i", "have"},
    {"youre", "you", "are"},
    {"theyre", "they", "are"},
    {"weve", "we", "have"},
    {"youve", "you", "have"},
    {"theyve", "they", "have"},
    {"thats", "that", "is"},
    {"whats", "what", "is"},
    {"theres", "there", "is"},
    {"hes", "he", "is"},
    {"shes", "she", "is"},
    {"heres", "here", "is"},
    {"wheres", "where", "is"},
    {"gotta", "got", "to"},
    {"lemme", "let", "me"},
    {"gimme", "give", "me"},
    {"dunno", "dont", "know"},
    {"wanna", "want", "to"},
    {"gonna", "going", "to"},
    {"idk", "dont", "know"},
    {"luv", "love", ""},
    {"gr8", "great", ""},
    {"l8", "late", ""},
    {"m8", "mate", ""},
    {"smh", "smh", ""},
    {"info", "information", ""},
    {"prob", "problem", ""},
    {"probs", "problems", ""},
    {"appt", "appointment", ""},
    {"dep", "departure", ""},
    {"depart", "departure", ""},
    {"luggages", "luggage", ""},
    {"fb", "facebook", ""},
    {"btw", "btw", ""},
    {"w", "with", ""},
    {"wo", "without", ""},
    {"n", "and", ""},
    {"nd", "and", ""},
    {"y", "why", ""},
    {"k", "ok", ""},
    {"okay", "ok", ""},
    {"cs", "customer", "service"},
    {"fone", "phone", ""},
    {"tix", "tickets", ""},
    {"tkt", "ticket", ""},
    {"def", "definitely", ""},
    {"rlly", "really", ""},
    {"srsly", "seriously", ""},
    {"bday", "birthday", ""},
    {"cx", "cancelled", ""},
    {"cxl", "cancelled", ""},
    {"cxld", "cancelled", ""},
    {"res", "reservation", ""},
    {"mgr", "manager", ""},
    {"mgmt", "management", ""},
    {"govt", "government", ""},
    {"cannot", "cant", ""},
    {"sucky", "sucks", ""},
    {"airways", "airline", ""},
    {"wi", "wi", ""},
    {"moldy", "mouldy", ""},
    {"noone", "nobody", ""},
    {"dm'd", "dmed", ""},
    {"dmd", "dmed", ""},
    {"yday", "yesterday", ""},
    {"mon", "monday", ""},
    {"tue", "tuesday", ""},
    {"tues", "tuesday", ""},
    {"wed", "wednesday", ""},
    {"thu", "thursday", ""},
    {"thur", "thursday", ""},
    {"thurs", "thursday", ""},
    {"fri", "friday", ""},
    {"sat", "sat", ""},
    {"sun", "sunday", ""},
    {"jan", "january", ""},
    {"feb", "february", ""},
    {"nvm", "nevermind", ""},
    {"ur's", "yours", ""},
    {"app's", "app", ""},
    {"abt", "about", ""},
    {"ridic", "ridiculous", ""},
    {"pax", "passengers", ""},
    {"ordr", "order", ""},
    {"rec'd", "received", ""},
    {"recd", "received", ""},
    {"recieved", "received", ""},
    {"recieve", "receive", ""},
    {"cud", "could", ""},
    {"wud", "would", ""},
    {"shud", "should", ""},
    {"dnt", "dont", ""},
    {"cnt", "cant", ""},
    {"wat", "what", ""},
    {"wen", "when", ""},
    {"pkg", "package", ""},
    {"pic", "photo", ""},
    {"pics", "photo", ""},
    {"colour", "color", ""},
    {"centre", "center", ""},
    {"favourite", "favorite", ""},
    {"travelling", "traveling", ""},
    {"apologise", "apologize", ""},
    {"til", "until", ""},
    {"till", "until", ""},
};

}  // namespace

LexiconEntry& Lexicon::slot(std::uint64_t hash) {
  known_[(hash & 0xFFFFU) >> 6U] |= std::uint64_t{1} << (hash & 63U);
  for (std::size_t i = hash >> shift_;; i = (i + 1) & (slots_.size() - 1)) {
    if (slots_[i].hash == hash || slots_[i].hash == 0) {
      slots_[i].hash = hash;
      return slots_[i];
    }
  }
}

Lexicon::Lexicon() : slots_(8192), shift_(64 - static_cast<unsigned>(std::countr_zero(slots_.size()))) {
  for (const CueWords& list : kCueWords) {
    std::string_view rest = list.words;
    while (!rest.empty()) {
      const std::size_t space = std::min(rest.find(' '), rest.size());
      std::string_view entry = rest.substr(0, space);
      rest.remove_prefix(std::min(space + 1, rest.size()));
      // A phrase is hashed as the tokeniser sees it: word by word, combined from the left.
      std::uint64_t hash = 0;
      for (bool first = true; !entry.empty(); first = false) {
        const std::size_t joint = std::min(entry.find('_'), entry.size());
        const std::uint64_t word = hash_text(entry.substr(0, joint));
        hash = first ? word : combine(hash, word);
        entry.remove_prefix(std::min(joint + 1, entry.size()));
        if (first && !entry.empty())
          phrase_starts_[word >> 52U] |= static_cast<std::uint8_t>(1U << ((word >> 44U) & 7U));
      }
      slot(hash).cues |= bit(list.cue);
    }
  }
  for (const Spelling& spelling : kSpellings) {
    slot(hash_text(spelling.from)).spelling = &spelling;
  }
}

// Words of another language hold their English and no cues of their own.
Lexicon::Lexicon(Language language)
    : language_(language), slots_(4096), shift_(64 - static_cast<unsigned>(std::countr_zero(slots_.size()))) {
  const std::size_t column = static_cast<std::size_t>(language) - 1;
  const auto for_each_word = [&](auto use) {
    for (const Gloss& gloss : glosses()) {
      std::string_view rest = gloss.of[column];
      while (!rest.empty()) {
        const std::size_t space = std::min(rest.find(' '), rest.size());
        use(rest.substr(0, space), gloss.english);
        rest.remove_prefix(std::min(space + 1, rest.size()));
      }
    }
  };
  std::size_t count = 0;
  for_each_word([&](std::string_view, std::string_view) { ++count; });
  spellings_.reserve(count);  // entries point into it
  for_each_word([&](std::string_view word, std::string_view english) {
    const std::size_t space = std::min(english.find(' '), english.size());
    spellings_.push_back({word, english.substr(0, space), english.substr(std::min(space + 1, english.size()))});
    slot(hash_text(word)).spelling = &spellings_.back();
  });
}

const Lexicon& Lexicon::english() {
  static const Lexicon lexicon;
  return lexicon;
}

const Lexicon& Lexicon::of(Language language) {
  static const Lexicon others[] = {Lexicon(Language::spanish),    Lexicon(Language::french),  Lexicon(Language::german),
                                   Lexicon(Language::portuguese), Lexicon(Language::italian), Lexicon(Language::dutch)};
  if (language == Language::english || language == Language::other) return english();
  return others[static_cast<std::size_t>(language) - 1];
}

}  // namespace triage::classify
