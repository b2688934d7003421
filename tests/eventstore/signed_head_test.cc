// Keys, notes and heads against the example of Go's golang.org/x/mod/sumdb/note, and whatever is
// not quite one of them.
#include "eventstore/signed_head.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {
namespace {

constexpr std::string_view kPrivate =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
constexpr std::string_view kPublic =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view kText =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
constexpr std::string_view kSignature =
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

NoteSigner Peter() {
  return *NoteSigner::Parse(kPrivate, "a test");
}

TEST(NoteKey, SignsAsOthersDo) {
  const NoteSigner signer = Peter();
  EXPECT_EQ(signer.verifier().ToText(), kPublic);
  EXPECT_EQ(signer.ToText(), kPrivate);
  const std::string signature = DecodeBase64(kSignature)->substr(4);
  EXPECT_EQ(signer.Sign(kText), signature);
  const auto verifier = NoteVerifier::Parse(fmt::format(" {}\n", kPublic));
  ASSERT_OK(verifier);
  EXPECT_EQ(verifier->id(), 0xc74f20a3u);
  EXPECT_TRUE(verifier->Verifies(kText, signature));
  EXPECT_FALSE(verifier->Verifies(kText.substr(1), signature));
  EXPECT_FALSE(verifier->Verifies(kText, signature.substr(1)));
}

TEST(NoteKey, IsRefusedWhenAnyCharacterIsAnother) {
  for (size_t at = 0; at < kPublic.size(); ++at) {
    std::string changed(kPublic);
    changed[at] = changed[at] == 'B' ? 'C' : 'B';
    EXPECT_CODE(NoteVerifier::Parse(changed), kAuditKey);
  }
  for (size_t at = 0; at < kPrivate.size(); ++at) {
    std::string changed(kPrivate);
    changed[at] = changed[at] == 'B' ? 'C' : 'B';
    const auto parsed = NoteSigner::Parse(changed, "the file key");
    EXPECT_CODE(parsed, kAuditKey);
    EXPECT_EQ(parsed.error().message.find(kPrivate.substr(40)), std::string::npos);
  }
  EXPECT_CODE(NoteVerifier::Parse(kPrivate), kAuditKey);
  EXPECT_CODE(NoteSigner::Parse(kPublic, "x"), kAuditKey);
  EXPECT_CODE(NoteVerifier::Parse(""), kAuditKey);
}

TEST(NoteKey, HasANameWithoutBlanks) {
  for (const std::string_view good : {"a", "bank.example/payments", "zahlungen-ü"})
    EXPECT_OK(CheckKeyName(good));
  for (const std::string_view bad : {"", "a b", "a+b", "a\nb", "a\xC2\xA0", "\xE2\x80\x83", "\xFF"})
    EXPECT_CODE(CheckKeyName(bad), kAuditKey);
}

TEST(NoteKey, IsAnotherEachTimeOneIsMade) {
  EXPECT_NE(NoteSigner::Generate("a").ToText(), NoteSigner::Generate("a").ToText());
}

TreeHead SomeHead() {
  TreeHead head{"PeterNeumann", 4711, {}};
  head.root.fill(0xA5);
  return head;
}

TEST(SignedHead, ComesBackAsItWas) {
  const auto head = ParseHead(SignHead(SomeHead(), Peter()));
  ASSERT_OK(head);
  EXPECT_EQ(head->head, SomeHead());
  EXPECT_OK(CheckSignature(*head, Peter().verifier()));
  EXPECT_CODE(CheckSignature(*head, NoteSigner::Generate("PeterNeumann").verifier()), kBadProof);
}

TEST(SignedHead, IsRefusedWhenAnyByteIsAnother) {
  const std::string note = SignHead(SomeHead(), Peter());
  for (size_t at = 0; at < note.size(); ++at) {
    for (const int bit : {0, 1, 4, 7}) {
      std::string changed = note;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      const auto head = ParseHead(changed);
      EXPECT_FALSE(head && CheckSignature(*head, Peter().verifier())) << at << ": " << changed;
    }
    std::string shorter = note;
    shorter.erase(at, 1);
    const auto head = ParseHead(shorter);
    EXPECT_FALSE(head && CheckSignature(*head, Peter().verifier())) << at;
    EXPECT_FALSE(ParseHead(note.substr(0, at)));
  }
}

TEST(SignedHead, IsReadWithSignaturesOfOthersBesideIt) {
  std::string note = SignHead(SomeHead(), Peter());
  const NoteSigner witness = NoteSigner::Generate("witness.example");
  const std::string other = SignHead(SomeHead(), witness);
  note += other.substr(other.find("\n\n") + 2);
  const auto head = ParseHead(note);
  ASSERT_OK(head);
  EXPECT_EQ(head->signatures.size(), 2u);
  EXPECT_OK(CheckSignature(*head, Peter().verifier()));
  EXPECT_OK(CheckSignature(*head, witness.verifier()));
}

TEST(SignedHead, IsRefusedInAnotherSpelling) {
  const std::string root = HashText(SomeHead().root);
  const std::string tail = "\n\n\xE2\x80\x94 PeterNeumann " + std::string(kSignature) + "\n";
  EXPECT_OK(ParseHead("log\n7\n" + root + tail));
  EXPECT_CODE(ParseHead("log\n07\n" + root + tail), kBadProof);
  EXPECT_CODE(ParseHead("log\n+7\n" + root + tail), kBadProof);
  EXPECT_CODE(ParseHead("\n7\n" + root + tail), kBadProof);
  EXPECT_CODE(ParseHead("log\n7\n" + root.substr(0, 40) + tail), kBadProof);
  EXPECT_CODE(ParseHead("log\n7\n" + root + "\n\n"), kBadProof);
  EXPECT_CODE(ParseHead("log\n7\n" + root + "\n\n- PeterNeumann AAAAAAAA\n"), kBadProof);
  EXPECT_CODE(ParseHead(std::string(kMaxNoteBytes + 1, 'a')), kBadProof);
}

}  // namespace
}  // namespace stele::eventstore
