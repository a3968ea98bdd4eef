// See page.h.
#include "tutorial/page.h"

#include <regex>

namespace cofork::tutorial {

namespace {

constexpr const char* kBold = "\x1b[1m";
constexpr const char* kDim = "\x1b[2m";
constexpr const char* kPlain = "\x1b[0m";

class PageWriter {
 public:
  explicit PageWriter(const PageStyle& style) : style_(style) {}

  void line(const std::string& text) {
    if (in_comment_) {
      in_comment_ = text != "-->";
    } else if (in_block_) {
      in_block_ = text != "```";
      if (!block_hidden_) put(in_block_ ? "    " + text : "");
    } else if (text.starts_with("<!--")) {
      in_comment_ = !text.ends_with("-->");
    } else if (text.starts_with("```")) {
      begin_block(text);
    } else if (text == "</details>") {
      in_details_ = false;
    } else if (text.starts_with("<details>")) {
      details(text);
    } else if (!answer_hidden()) {
      prose(text);
    }
  }

  std::string take() { return std::move(out_); }

 private:
  bool answer_hidden() const { return in_details_ && !style_.answers; }

  void begin_block(const std::string& text) {
    const bool console = text.starts_with("```console");
    const char* other = style_.mode == "fork" ? " coroutine" : " fork";
    in_block_ = true;
    block_hidden_ = answer_hidden() || (console && text.find(other) != std::string::npos);
    if (!block_hidden_) put("");
  }

  void details(const std::string& text) {
    in_details_ = true;
    const std::string summary = std::regex_replace(text, std::regex("<[^>]*>"), "");
    put(summary + (style_.answers ? "" : "  (cofork tutorial show --answers)"));
  }

  void prose(const std::string& text) {
    // Links are for pages that can be clicked; a path is what a terminal wants.
    std::string line =
        std::regex_replace(text, std::regex(R"(\[([^\]]*)\]\((?:\.\./)?([^)]*)\))"), "$1 ($2)");
    line = std::regex_replace(line, std::regex(R"(\*\*)"), "");
    if (line.starts_with("#")) {
      put(coloured(kBold, line.substr(line.find(' ') + 1)));
    } else if (line.starts_with("> ")) {
      put(coloured(kDim, line));
    } else {
      put(line);
    }
  }

  std::string coloured(const char* colour, const std::string& text) const {
    return style_.colour ? colour + text + kPlain : text;
  }

  /// Several empty lines count as one.
  void put(const std::string& text) {
    if (text.empty() && (out_.empty() || out_.ends_with("\n\n"))) return;
    out_ += text + "\n";
  }

  const PageStyle& style_;
  std::string out_;
  bool in_comment_ = false;
  bool in_block_ = false;
  bool block_hidden_ = false;
  bool in_details_ = false;
};

}  // namespace

std::string render_page(const Lesson& lesson, int first, int end, const PageStyle& style) {
  PageWriter writer(style);
  for (int i = first; i < end; ++i) writer.line(lesson.page[static_cast<size_t>(i)]);
  return writer.take();
}

std::string render_beginning(const Lesson& lesson, const PageStyle& style) {
  return render_page(lesson, 0, lesson.steps.front().first_line, style);
}

std::string render_step(const Lesson& lesson, int step, const PageStyle& style) {
  const Step& found = lesson.steps.at(static_cast<size_t>(step) - 1);
  return render_page(lesson, found.first_line, found.end_line, style);
}

std::string render_end(const Lesson& lesson, const PageStyle& style) {
  return render_page(lesson, lesson.steps.back().end_line, static_cast<int>(lesson.page.size()),
                     style);
}

}  // namespace cofork::tutorial
