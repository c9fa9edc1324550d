// Posts in other languages than English: the six that are learnt, and those that are left to a person.
#include <gmock/gmock.h>

#include "helpers.h"

namespace triage::classify {
namespace {

using testing::AnyOf;

Verdict judged_as(std::string text, std::string claimed, PostKind kind = PostKind::post) {
  Post post;
  post.text = std::move(text);
  post.language = std::move(claimed);
  post.kind = kind;
  return shipped().judge(post, Time{});
}

TEST(Languages, TheLearntSixAreJudgedAsEnglishIs) {
  struct Case {
    std::string text, language;
  };
  for (const Case& is : {Case{"llevamos tres horas parados en el tren y nadie nos dice nada, ayuda", "es"},
                         Case{"bloqués dans le train depuis 3 heures, personne ne nous dit rien, aidez nous", "fr"},
                         Case{"wir stecken seit 3 Stunden im Zug fest und niemand sagt uns was, bitte helft", "de"},
                         Case{"estamos parados no trem há 3 horas e ninguém fala nada, ajudem por favor", "pt"},
                         Case{"siamo bloccati sul treno da 3 ore e nessuno ci dice niente, aiuto", "it"},
                         Case{"we staan al 3 uur stil met de trein en niemand zegt iets, help ons", "nl"}}) {
    const Verdict verdict = judged(is.text);
    SCOPED_TRACE(is.text);
    EXPECT_EQ(verdict.language, is.language);
    EXPECT_EQ(verdict.moment, Moment::in_the_moment);
    EXPECT_TRUE(verdict.actionable);
    EXPECT_THAT(verdict.intent, AnyOf(Intent::complaint, Intent::request));
    EXPECT_GE(verdict.priority, Priority::high);
    EXPECT_EQ(verdict.judge, "fast");
    for (const Reason& reason : verdict.reasons) {
      EXPECT_NE(reason.what, "language") << "this one was judged";
    }
  }
}

TEST(Languages, PraiseOfALearntLanguageIsNoEmergency) {
  for (const char* text : {"muchas gracias por todo, el personal fue muy amable y el vuelo genial",
                           "merci beaucoup à toute l'équipe, le personnel était super gentil hier",
                           "vielen Dank an das nette Personal gestern, das war toll"}) {
    const Verdict verdict = judged(text);
    EXPECT_EQ(verdict.intent, Intent::praise) << text;
    EXPECT_EQ(verdict.moment, Moment::after_the_fact) << text;
    EXPECT_LE(verdict.priority, Priority::normal) << text;
  }
}

TEST(Languages, AReasonQuotesTheCustomersOwnWords) {
  const std::string text = "estamos atrapados en el ascensor desde hace una hora y nadie contesta";
  bool any = false;
  for (const Reason& reason : judged(text).reasons) {
    any = any || text.find(reason.cue) != std::string::npos;
    EXPECT_EQ(reason.cue.find("stuck"), std::string::npos) << "not the English it was read as";
  }
  EXPECT_TRUE(any);
}

TEST(Languages, AnyOtherLanguageIsQueuedForAPersonAndMarked) {
  struct Case {
    std::string text, language;
  };
  for (const Case& is : {Case{"電車が2時間止まっています。誰も説明してくれません", "ja"},
                         Case{"القطار متوقف منذ ساعتين ولا أحد يخبرنا بشيء", "ar"},
                         Case{"Pociąg stoi w polu od dwóch godzin i nikt nic nie mówi", "pl"},
                         Case{"Tåget har stått stilla i två timmar utan information", "sv"},
                         Case{"iki saattir bekliyoruz uçak hala kalkmadı kimse bilgi vermiyor", "tr"},
                         Case{"Поезд стоит уже два часа и никто ничего не говорит", "ru"},
                         Case{"รถไฟหยุดมาสองชั่วโมงแล้วไม่มีใครบอกอะไรเลย", "th"}}) {
    SCOPED_TRACE(is.text);
    const Verdict verdict = judged(is.text);
    EXPECT_EQ(verdict.language, is.language);
    EXPECT_TRUE(verdict.actionable) << "nothing is dropped unread";
    EXPECT_LE(verdict.actionable_confidence, 0.6);
    EXPECT_LE(verdict.moment_confidence, 0.6);
    EXPECT_EQ(verdict.priority, Priority::normal);
    EXPECT_EQ(verdict.intent, Intent::other);
    EXPECT_EQ(verdict.topic, Topic::other);
    ASSERT_FALSE(verdict.reasons.empty());
    EXPECT_EQ(verdict.reasons[0].what, "language");
    EXPECT_EQ(verdict.reasons[0].cue, is.language + ": not judged, read by a person");
  }
}

TEST(Languages, WhatNeedsNoLanguageStillSpeaks) {
  const std::string text = "電車が2時間止まっています";
  EXPECT_GT(judged(text + " 🚨").urgency, judged(text).urgency);
  EXPECT_GE(judged(text + " 🚨").priority, Priority::high);
  Post post;
  post.text = text;
  post.rating = 1;
  const Verdict low = shipped().judge(post, Time{});
  EXPECT_GT(low.urgency, judged(text).urgency);
  EXPECT_EQ(low.intent, Intent::complaint);
  EXPECT_LT(low.sentiment, 0);
  post.rating = 5;
  const Verdict high = shipped().judge(post, Time{});
  EXPECT_LT(high.urgency, judged(text).urgency);
  EXPECT_TRUE(high.actionable);
}

TEST(Languages, EnglishWithANameOrAWordOfAnotherLanguageStaysEnglish) {
  for (const char* text : {"@Correos my parcel is stuck in Málaga and nobody answers the phone",
                           "the crème brûlée at your café was cold and the waiter did not care",
                           "Stuck at São Paulo airport for 5 hours now, no one tells us anything", "ok",
                           "@VerizonSupport Yes", "pick me pick me!!! #sweepstakes"}) {
    EXPECT_THAT(judged(text).language, AnyOf("en", "und")) << text;
  }
}

TEST(Languages, WhereTheTextCannotTellThePlatformMay) {
  EXPECT_EQ(judged_as("ok", "fr").language, "fr");
  EXPECT_EQ(judged_as("ok", "und").language, "und");
  EXPECT_EQ(judged_as("ok", "qme").language, "und") << "a platform's code for: no language";
  EXPECT_EQ(judged_as("still waiting for the bus and it is freezing out here", "fr").language, "en");
}

}  // namespace
}  // namespace triage::classify
