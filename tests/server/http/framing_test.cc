#include "server/http/framing.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "server/http/limits.h"
#include "tests/server/http/framed.h"

namespace stele::server::http {
namespace {

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

void ExpectTheSame(const Framed& other, const Framed& framed, std::string_view bytes, size_t cut) {
  EXPECT_EQ(other.passed, framed.passed) << bytes << " cut at " << cut;
  EXPECT_EQ(other.status(), framed.status()) << bytes << " cut at " << cut;
  EXPECT_EQ(other.said(), framed.said()) << bytes << " cut at " << cut;
  EXPECT_EQ(other.heads.size(), framed.heads.size()) << bytes << " cut at " << cut;
}

// The bytes in one piece; and, where they are few, in every two, and one by one, with no other end.
Framed Frame(std::string_view bytes) {
  FramedPieces whole, many;
  whole.Add(bytes);
  for (const char c : bytes) many.Add({&c, 1});
  const Framed framed = whole.End();
  ExpectTheSame(many.End(), framed, bytes, 1);
  for (size_t cut = 0; cut <= bytes.size() && bytes.size() < 1000; ++cut) {
    FramedPieces two;
    two.Add(bytes.substr(0, cut));
    two.Add(bytes.substr(cut));
    ExpectTheSame(two.End(), framed, bytes, cut);
  }
  return framed;
}

Framed FrameHead(std::string_view request_line, std::string_view fields) {
  return Frame(fmt::format("{}\r\n{}\r\n", request_line, fields));
}

Framed FrameFields(std::string_view fields) {
  return FrameHead("POST /a HTTP/1.1", fmt::format("Host: h\r\n{}", fields));
}

std::string Chunked(std::string_view body) {
  return fmt::format("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{}", body);
}

// What is passed on of a body in chunks.
std::string BodyOf(const Framed& framed) {
  const size_t end = framed.passed.find("\r\n\r\n");
  return end == std::string::npos ? "" : framed.passed.substr(end + 4);
}

TEST(Framing, PassesRequestsAsTheyCame) {
  const std::string post = "POST /b?c HTTP/1.1\r\nHost: h:80\r\nContent-Length: 5\r\n\r\nab\r\nc";
  const std::string both = std::string(kGet) + post;
  const Framed framed = Frame(both + std::string(kGet));
  EXPECT_EQ(framed.passed, both + std::string(kGet));
  ASSERT_EQ(framed.heads.size(), 3u);
  EXPECT_EQ(framed.heads[1].length, 5u);
  EXPECT_TRUE(framed.whole);
}

TEST(Framing, ForgivesOneEmptyLineBeforeARequest) {
  EXPECT_EQ(Frame(fmt::format("\r\n{}\r\n{}", kGet, kGet)).passed, fmt::format("{}{}", kGet, kGet));
  EXPECT_EQ(Frame(fmt::format("\r\n\r\n{}", kGet)).status(), 400);
}

TEST(Framing, WantsCrAndLfAtTheEndOfEveryLine) {
  for (const char* bytes :
       {"GET /a HTTP/1.1\nHost: h\r\n\r\n", "GET /a HTTP/1.1\r\nHost: h\n\r\n",
        "GET /a HTTP/1.1\r\nHost: h\r\n\n", "\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: h\r\nA: b\rC: d\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: h\r\r\n\r\n"}) {
    const Framed framed = Frame(bytes);
    EXPECT_EQ(framed.status(), 400) << bytes;
    EXPECT_EQ(framed.passed, "") << bytes;
  }
}

TEST(Framing, WantsAMethodATargetAndAVersionWithABlankBetween) {
  for (const char* line :
       {"GET", "GET /a", "GET  /a HTTP/1.1", "GET /a  HTTP/1.1", "GET\t/a\tHTTP/1.1",
        " GET /a HTTP/1.1", "GET /a HTTP/1.1 ", "GET /a b HTTP/1.1", "G(T /a HTTP/1.1",
        "G\xC3\xA4T /a HTTP/1.1", "GET /\xC3\xA4 HTTP/1.1", "GET /a\x01 HTTP/1.1",
        "GET /a\x7F HTTP/1.1", "GET /a http/1.1", "GET /a HTTP/1", "GET /a HTTP/1.10",
        "GET /a HTTP/1,1", "GET /a HTTP/-1.1", "GET  HTTP/1.1"})
    EXPECT_EQ(FrameHead(line, "Host: h\r\n").status(), 400) << line;
  EXPECT_EQ(FrameHead(std::string("GET /a\0b HTTP/1.1", 17), "Host: h\r\n").status(), 400);
  EXPECT_EQ(FrameHead("BREW-IT! * HTTP/1.1", "Host: h\r\n").status(), 0);
}

TEST(Framing, KnowsVersionOneAlone) {
  EXPECT_EQ(FrameHead("GET /a HTTP/1.7", "Host: h\r\n").status(), 0);
  for (const char* version : {"HTTP/2.0", "HTTP/0.9", "HTTP/9.1"})
    EXPECT_EQ(FrameHead(fmt::format("GET /a {}", version), "Host: h\r\n").status(), 505);
}

TEST(Framing, BoundsTargetsFieldsAndHeads) {
  const auto target = [](size_t size) {
    return FrameHead(fmt::format("GET /{} HTTP/1.1", std::string(size - 1, 'a')), "Host: h\r\n");
  };
  EXPECT_EQ(target(kMaxTargetBytes).status(), 0);
  EXPECT_EQ(target(kMaxTargetBytes + 1).status(), 414);
  EXPECT_EQ(target(kMaxTargetBytes * 10).status(), 414);
  EXPECT_EQ(Frame(std::string(kMaxRequestLineBytes, 'x')).status(), 414);
  std::string fields;
  for (size_t i = 1; i < kMaxFields; ++i) fields += "A: b\r\n";
  EXPECT_EQ(FrameFields(fields).status(), 0);
  EXPECT_EQ(FrameFields(fields + "A: b\r\n").status(), 431);
  const std::string begin = "GET /a HTTP/1.1\r\nHost: h\r\nA: ";
  const auto head = [&begin](size_t size) {
    return Frame(begin + std::string(size - begin.size() - 4, 'a') + "\r\n\r\n");
  };
  EXPECT_EQ(head(kMaxHeadBytes).status(), 0);
  EXPECT_EQ(head(kMaxHeadBytes + 1).status(), 431);
  EXPECT_EQ(head(kMaxHeadBytes + 2).status(), 431);
  EXPECT_EQ(Frame(begin + std::string(kMaxHeadBytes, 'a')).status(), 431);
}

TEST(Framing, WantsOneHost) {
  for (const char* fields :
       {"", "Host: h\r\nHost: h\r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host: u@h\r\n",
        "Host: h:8x\r\n", "Host: h:1:2\r\n", "Host: [::1\r\n", "Host: [::1]x\r\n", "Host: []\r\n",
        "Host: h\xC3\xA4\r\n", "Host: a\"\r\n"})
    EXPECT_EQ(FrameHead("GET /a HTTP/1.1", fields).status(), 400) << fields;
  for (const char* fields : {"hOST:h\r\n", "Host: h.example:8080\r\n", "Host: [::1]:80\r\n",
                             "Host: [::1]\r\n", "Host:\r\n", "Host: a%20b:\r\n"})
    EXPECT_EQ(FrameHead("GET /a HTTP/1.1", fields).status(), 0) << fields;
  EXPECT_EQ(FrameHead("GET /a HTTP/1.0", "").status(), 0);
}

TEST(Framing, WantsTheHostThatTheTargetNames) {
  for (const char* target : {"http://h/a", "HTTP://H", "https://h?x", "/http://other/"})
    EXPECT_EQ(FrameHead(fmt::format("GET {} HTTP/1.1", target), "Host: h\r\n").status(), 0)
        << target;
  for (const char* target : {"http://other/a", "http://h:80/a", "http://u@h/a", "http:///a"})
    EXPECT_EQ(FrameHead(fmt::format("GET {} HTTP/1.1", target), "Host: h\r\n").status(), 400)
        << target;
}

TEST(Framing, WantsANameWithAColonBehindItAndAValueInEveryField) {
  for (const char* field : {"A : b", "A\t: b", " A: b", "\tA: b", ": b", "A", "A b: c", "A(: b",
                            "A\xC3\xA4: b", "A: b\x01", "A: b\x7F", "A: b\x0B"})
    EXPECT_EQ(FrameFields(fmt::format("{}\r\n", field)).status(), 400) << field;
  EXPECT_EQ(FrameFields(std::string("A: \0\r\n", 6)).status(), 400);
  EXPECT_EQ(FrameFields("A: b\r\n c\r\n").status(), 400);
  for (const char* field : {"A:", "A:b", "A: ", "!#$%&'*+-.^_`|~9: \xC3\xA4\tb", "A: :;\"()"})
    EXPECT_EQ(FrameFields(fmt::format("{}\r\n", field)).status(), 0) << field;
}

TEST(Framing, MovesBlanksBehindAValueBeforeIt) {
  const Framed framed = FrameFields("Content-Length: 0 \t\r\nA:  \r\nB: c \r\nD:e \r\n");
  EXPECT_EQ(framed.passed,
            "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: \t 0\r\nA:  \r\nB:  c\r\nD: e\r\n\r\n");
}

TEST(Framing, WantsOneLengthThatIsANumber) {
  for (const char* value : {"", "-1", "+1", "0x1", "1 2", "1,1", "1, 1", "1.0", "1e3", "one"})
    EXPECT_EQ(FrameFields(fmt::format("Content-Length: {}\r\n", value)).status(), 400) << value;
  EXPECT_EQ(FrameFields("Content-Length: 1\r\nContent-Length: 1\r\n").status(), 400);
  for (const char* value : {"9223372036854775808", "18446744073709551617",
                            "100000000000000000000000000000000000000000"})
    EXPECT_EQ(FrameFields(fmt::format("Content-Length: {}\r\n", value)).status(), 413) << value;
  const Framed framed = FrameFields("Content-Length: 000000000000000000000000000000000000007\r\n");
  EXPECT_EQ(framed.heads.at(0).length, 7u);
  EXPECT_FALSE(framed.whole);
}

TEST(Framing, TakesChunksAloneAsACoding) {
  for (const char* value : {"", "gzip", "identity", "chunked, chunked", "chunked, gzip", "xchunked",
                            "chunked;q=1", "\"chunked\"", ",chunked", "chunked x"})
    EXPECT_EQ(FrameFields(fmt::format("Transfer-Encoding: {}\r\n", value)).status(), 400) << value;
  EXPECT_EQ(FrameFields("Transfer-Encoding: gzip, chunked\r\n").status(), 501);
  EXPECT_EQ(FrameFields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n").status(),
            400);
  EXPECT_EQ(FrameFields("Transfer-Encoding: Chunked \r\n").status(), 0);
  EXPECT_EQ(FrameFields("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n").status(), 400);
  EXPECT_EQ(FrameFields("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n").status(), 400);
  EXPECT_EQ(FrameHead("POST /a HTTP/1.0", "Transfer-Encoding: chunked\r\n").status(), 400);
}

TEST(Framing, TellsWhatEndsTheConnection) {
  const auto closes = [](std::string_view version, std::string_view fields) {
    return FrameHead(fmt::format("GET /a HTTP/{}", version), fields).heads.at(0).close;
  };
  EXPECT_FALSE(closes("1.1", "Host: h\r\n"));
  EXPECT_FALSE(closes("1.1", "Host: h\r\nConnection: keep-alive, closer\r\n"));
  EXPECT_TRUE(closes("1.1", "Host: h\r\nConnection: x ,CLOSE\r\nConnection: y\r\n"));
  EXPECT_TRUE(closes("1.0", "Connection: keep-alive\r\n"));
  EXPECT_TRUE(FrameHead("GET /a HTTP/1.0", "").heads.at(0).is_1_0);
}

TEST(Framing, PutsChunksIntoOneForm) {
  const Framed framed = Frame(Chunked("3\r\nabc\r\n00A \t;x=\"y;z\"\r\n0123456789\r\n"
                                      "1;\r\nd\r\n000;last\r\nTrailer: x\r\nB:\r\n\r\n") +
                              std::string(kGet));
  EXPECT_EQ(BodyOf(framed),
            "3\r\nabc\r\na\r\n0123456789\r\n1\r\nd\r\n0\r\n\r\n" + std::string(kGet));
  EXPECT_EQ(framed.heads.size(), 2u);
  EXPECT_TRUE(framed.whole);
}

TEST(Framing, RefusesChunksThatMayBeReadInTwoWays) {
  for (const char* body : {"\r\n",
                           "x\r\n",
                           "-1\r\n",
                           "+1\r\na\r\n",
                           "0x1\r\na\r\n",
                           " 1\r\na\r\n",
                           "1 \r\na\r\n",
                           "1 x\r\na\r\n",
                           "1\na\r\n",
                           "1;a\nb\r\na\r\n",
                           "1;a\rb\r\na\r\n",
                           "1\r\na\n",
                           "1\r\nab\r\n",
                           "1\r\na\r0\r\n",
                           "0\nA: b\r\n\r\n",
                           "0\r\nA: b\n\r\n",
                           "0\r\n A: b\r\n\r\n",
                           "0\r\nA : b\r\n\r\n",
                           "0\r\nGET /b HTTP/1.1\r\n\r\n",
                           "1\r\na0\r\n\r\n"}) {
    const Framed framed = Frame(Chunked(body));
    EXPECT_EQ(framed.status(), 400) << body;
    EXPECT_FALSE(framed.passed.ends_with("0\r\n\r\n")) << body;
  }
  for (const char* size : {"8000000000000000", "FFFFFFFFFFFFFFFF", "10000000000000000",
                           "100000000000000000000000000000001"})
    EXPECT_EQ(Frame(Chunked(fmt::format("{}\r\n", size))).status(), 413) << size;
  EXPECT_EQ(Frame(Chunked("0000000000000000000000001\r\na\r\n0\r\n\r\n")).status(), 0);
}

TEST(Framing, BoundsWhatStandsAboutChunks) {
  const auto extended = [](size_t size, size_t times) {
    std::string body;
    for (size_t i = 0; i < times; ++i)
      body += fmt::format("1;{}\r\na\r\n", std::string(size - 1, 'x'));
    return Frame(Chunked(body + "0\r\n\r\n")).status();
  };
  EXPECT_EQ(extended(kMaxChunkLineBytes - 3, 1), 0);
  EXPECT_EQ(extended(kMaxChunkLineBytes - 2, 1), 400);
  EXPECT_EQ(extended(kMaxExtensionBytes / 32, 32), 0);
  EXPECT_EQ(extended(kMaxExtensionBytes / 32, 33), 400);
  const auto trailer = [](size_t size) {
    std::string lines;
    for (size_t left = size - 2; left > 0; left -= std::min<size_t>(left, 102))
      lines += fmt::format("A:{}\r\n", std::string(std::min<size_t>(left, 102) - 4, 'x'));
    return Frame(Chunked(fmt::format("0\r\n{}\r\n", lines))).status();
  };
  EXPECT_EQ(trailer(kMaxTrailerBytes), 0);
  EXPECT_EQ(trailer(kMaxTrailerBytes + 1), 431);
}

TEST(Framing, TellsAnEndWithinAHeadFromOneBetween) {
  EXPECT_EQ(Frame("GET /a HT").status(), 400);
  EXPECT_EQ(Frame("\r\n").status(), 400);
  EXPECT_EQ(Frame("").status(), 0);
  EXPECT_TRUE(Frame(kGet).whole);
  EXPECT_FALSE(Frame(Chunked("3\r\nab")).whole);
  EXPECT_EQ(Frame(Chunked("3\r\nab")).status(), 0);
}

}  // namespace
}  // namespace stele::server::http
