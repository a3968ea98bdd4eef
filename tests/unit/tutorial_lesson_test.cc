// Lessons' pages: what is read from them, what is refused, and how output is compared.
#include <gtest/gtest.h>

#include <stdexcept>

#include "tutorial/lesson.h"
#include "tutorial/lessons.h"
#include "tutorial/match.h"
#include "tutorial/page.h"

namespace cofork::tutorial {
namespace {

constexpr const char* kPage = R"(# 7. A lesson

## Step 1: Count
```console fork any=pid,time
$ psql -c '
> select 1'
 1
$ true
```
```console coroutine
$ false
```
<!-- check any=number
$ echo 1
1
look: echo 1
-->
<!-- hint: one -->
<!-- hint: two -->

## Questions
<details><summary>Why?</summary>
Because.
</details>
)";

TEST(Lesson, IsReadFromItsPage) {
  const Lesson lesson = parse_lesson("07-a.md", kPage);
  EXPECT_EQ(lesson.number, 7);
  EXPECT_EQ(lesson.title, "A lesson");
  ASSERT_EQ(lesson.steps.size(), 1u);
  EXPECT_EQ(lesson.steps[0].title, "Count");
  EXPECT_EQ(lesson.steps[0].hints, (std::vector<std::string>{"one", "two"}));
  ASSERT_EQ(lesson.blocks.size(), 2u);
  EXPECT_EQ(lesson.blocks[0].mode, "fork");
  EXPECT_EQ(lesson.blocks[0].any, "pid,time");
  ASSERT_EQ(lesson.blocks[0].commands.size(), 2u);
  EXPECT_EQ(lesson.blocks[0].commands[0].text, "psql -c '\nselect 1'");
  EXPECT_EQ(lesson.blocks[0].commands[0].output, std::vector<std::string>{" 1"});
  EXPECT_EQ(lesson.blocks[0].commands[0].line, 5);
  ASSERT_EQ(lesson.checks.size(), 1u);
  EXPECT_EQ(lesson.checks[0].step, 1);
  EXPECT_EQ(lesson.checks[0].look, "echo 1");
}

std::string complaint_about(std::string_view page) {
  try {
    parse_lesson("x.md", page);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(Lesson, PagesThatCannotBeCheckedAreRefused) {
  const std::string page = kPage;
  EXPECT_EQ(complaint_about("No title\n"), "x.md:1: a lesson begins with \"# NUMBER. TITLE\"");
  EXPECT_EQ(complaint_about("# 1. Nothing\n"), "x.md:2: a lesson has steps");
  const auto without = [&](const std::string& part) {
    std::string changed = page;
    changed.erase(changed.find(part), part.size());
    return complaint_about(changed);
  };
  EXPECT_EQ(without("<!-- hint: two -->\n"), "x.md:3: a step has two hints");
  EXPECT_EQ(without("look: echo 1\n"), "x.md:16: a check has one command and one line \"look: \"");
  EXPECT_NE(complaint_about(page + "```console sideways\n```\n").find("unknown word: sideways"),
            std::string::npos);
  EXPECT_NE(complaint_about(page + "```console\n").find("\"```\" is missing"), std::string::npos);
}

TEST(Lesson, APageShowsOneModeAndHidesAnswers) {
  const Lesson lesson = parse_lesson("07-a.md", kPage);
  PageStyle style{"fork"};
  const auto whole = [&] {
    return render_page(lesson, 0, static_cast<int>(lesson.page.size()), style);
  };
  EXPECT_NE(whole().find("$ true"), std::string::npos);
  EXPECT_EQ(whole().find("$ false"), std::string::npos);
  EXPECT_EQ(whole().find("look:"), std::string::npos);
  EXPECT_EQ(whole().find("Because."), std::string::npos);
  style.answers = true;
  EXPECT_NE(whole().find("Because."), std::string::npos);
}

TEST(Match, OnlyWhatIsNamedMayDiffer) {
  const auto match = [](const char* expected, const char* saw, const char* any) {
    return output_matches(split_lines(expected), split_lines(saw), any);
  };
  EXPECT_TRUE(match(" pid  | n\n------+---\n 1234 | 1\n",
                    "  pid   | n\n--------+---\n 4194305 | 1\n\n", "pid"));
  EXPECT_FALSE(match(" 1234 | 1", " 1234 | 2", "pid"));
  EXPECT_FALSE(match("1234", "1235", ""));
  EXPECT_TRUE(match("7.5 ms", "12 ms", "number"));
  EXPECT_TRUE(match("2026-01-31 12:34:56.789 UTC [1234] LOG:  x",
                    "2027-11-02 01:02:03.004 CET [777] LOG:  x", "pid,time"));
  EXPECT_TRUE(
      match("0/1A2B3C4 in 000000010000000000000001", "1/FF in 00000001000000000000000A", "lsn"));
  EXPECT_TRUE(match("b\na", "a\nb", "order"));
  EXPECT_FALSE(match("b\na", "a\nb", ""));
  EXPECT_TRUE(match("a\n...\nd", "a\nb\nc\nd", ""));
  EXPECT_FALSE(match("a\n...\nd", "a\nb\nc", ""));
}

TEST(Lessons, AllEmbeddedPagesAreInOrder) {
  const std::vector<Lesson> lessons = load_lessons("");
  ASSERT_FALSE(lessons.empty());
  for (size_t i = 0; i < lessons.size(); ++i) {
    EXPECT_EQ(lessons[i].number, static_cast<int>(i) + 1) << lessons[i].file;
  }
  EXPECT_THROW(lesson_of(lessons, 99), std::runtime_error);
}

}  // namespace
}  // namespace cofork::tutorial
