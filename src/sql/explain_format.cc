// Writes down what EXPLAIN shows: as text, JSON or YAML (ExplainPropertyText and its neighbours in
// explain.c, 15).
#include <fmt/format.h>

#include "model/stack.h"
#include "sql/explain.h"

namespace cofork {
namespace {

using Property = ExplainProperty;

// --- text

/// "shared hit=3 read=1"; "" when nothing was used.
std::string buffers_as_text(const BufferUsage& usage) {
  std::string text;
  auto add = [&](std::string_view what, int64_t count) {
    if (count > 0) text += fmt::format(" {}={}", what, count);
  };
  add("hit", usage.hit);
  add("read", usage.read);
  add("dirtied", usage.dirtied);
  add("written", usage.written);
  return text.empty() ? text : "shared" + text;
}

class TextWriter {
 public:
  explicit TextWriter(const ExplainOptions& options) : options_(options) {}
  /// `indent`: columns before the headline; the arrow of a node below another is in `prefix`.
  void node(const ExplainNode& node, size_t indent, bool is_child);
  std::vector<std::string> lines;

 private:
  std::string figures(const ExplainNode& node) const;
  void property(const Property& property, size_t indent);
  void line(size_t indent, std::string_view text) {
    lines.push_back(fmt::format("{:{}}{}", "", indent, text));
  }

  const ExplainOptions& options_;
};

std::string TextWriter::figures(const ExplainNode& node) const {
  std::string text;
  if (options_.costs) {
    const PlanEstimate& e = node.estimate;
    text += fmt::format("  (cost={:.2f}..{:.2f} rows={:.0f} width={})", e.startup, e.total, e.rows,
                        e.width);
  }
  if (!options_.analyze || node.measured == nullptr) return text;
  const Measurement* m = node.measured->measurement;
  if (m == nullptr || m->loops == 0) return text + " (never executed)";
  text += " (actual ";
  if (options_.timing) {
    text += fmt::format("time={:.3f}..{:.3f} ", m->startup_ms / m->loops, m->total_ms / m->loops);
  }
  return text + fmt::format("rows={:.0f} loops={:.0f})", m->rows / m->loops, m->loops);
}

void TextWriter::property(const Property& property, size_t indent) {
  if (property.where == Property::Where::kStructuredOnly) return;
  std::string value = property.value;
  if (property.kind == Property::Kind::kList) {
    value = fmt::format("{}", fmt::join(property.items, ", "));
  }
  line(indent, fmt::format("{}: {}", property.label, value));
}

void TextWriter::node(const ExplainNode& node, size_t indent, bool is_child) {
  if (!node.sub_plan.empty()) {
    line(indent, node.sub_plan);
    indent += 2;
  }
  if (is_child) {
    line(indent, fmt::format("->  {}{}", node.headline, figures(node)));
    indent += 6;
  } else {
    line(indent, node.headline + figures(node));
    indent += 2;
  }
  if (options_.verbose && !node.output.empty()) {
    line(indent, fmt::format("Output: {}", fmt::join(node.output, ", ")));
  }
  for (const Property& p : node.properties) property(p, indent);
  if (options_.buffers && node.measured != nullptr && node.measured->measurement != nullptr) {
    std::string text = buffers_as_text(node.measured->measurement->buffers);
    if (!text.empty()) line(indent, "Buffers: " + text);
  }
  with_stack([&] {
    for (const auto& child : node.init_plans) this->node(*child, indent, true);
    for (const auto& child : node.children) this->node(*child, indent, true);
    for (const auto& child : node.sub_plans) this->node(*child, indent, true);
  });
}

// --- JSON and YAML

/// Both are nested lists and groups of "label: value"; they differ in how each is set down.
class StructuredWriter {
 public:
  explicit StructuredWriter(const ExplainOptions& options)
      : options_(options),
        is_json_(options.format == ExplainFormat::kJson),
        indent_(is_json_ ? 1 : 0) {}
  void plan(const ExplainNode& node, bool is_root);
  void open(std::string_view label, char bracket);
  void close(char bracket);
  void value(std::string_view label, std::string_view text, Property::Kind kind);
  void number(std::string_view label, double number, int digits) {
    value(label, fmt::format("{:.{}f}", number, digits), Property::Kind::kNumber);
  }
  void buffers(const BufferUsage& usage);
  std::string text;

 private:
  void figures(const ExplainNode& node);
  void property(const Property& property);
  void begin_item();

  const ExplainOptions& options_;
  const bool is_json_;
  size_t indent_;
  std::vector<bool> has_items_ = {false};
  /// YAML: the dash of a list's item stands where the first line of the group would begin.
  bool after_dash_ = false;
};

std::string quoted_json(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<int>(c));
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

void StructuredWriter::begin_item() {
  if (is_json_) {
    if (has_items_.back()) text += ',';
    text += fmt::format("\n{:{}}", "", indent_ * 2);
  } else if (!std::exchange(after_dash_, false)) {
    if (!text.empty()) text += fmt::format("\n{:{}}", "", indent_ * 2);
  }
  has_items_.back() = true;
}

void StructuredWriter::open(std::string_view label, char bracket) {
  begin_item();
  if (is_json_) {
    if (!label.empty()) text += fmt::format("\"{}\": ", label);
    text += bracket;
  } else if (!label.empty()) {
    text += fmt::format("{}: ", label);
  } else {
    text += "- ";
    after_dash_ = true;
  }
  ++indent_;
  has_items_.push_back(false);
}

void StructuredWriter::close(char bracket) {
  --indent_;
  has_items_.pop_back();
  if (is_json_) text += fmt::format("\n{:{}}{}", "", indent_ * 2, bracket);
}

void StructuredWriter::value(std::string_view label, std::string_view shown, Property::Kind kind) {
  begin_item();
  if (is_json_) {
    text += fmt::format("\"{}\": ", label);
  } else {
    text += fmt::format("{}: ", label);
  }
  text += kind == Property::Kind::kText ? quoted_json(shown) : std::string(shown);
}

void StructuredWriter::property(const Property& property) {
  if (property.where == Property::Where::kTextOnly) return;
  if (property.kind != Property::Kind::kList) {
    value(property.label, property.value, property.kind);
    return;
  }
  begin_item();
  if (is_json_) {
    text += fmt::format("\"{}\": [", property.label);
    for (size_t i = 0; i < property.items.size(); ++i) {
      text += (i == 0 ? "" : ", ") + quoted_json(property.items[i]);
    }
    text += ']';
    return;
  }
  text += fmt::format("{}: ", property.label);
  for (const std::string& item : property.items) {
    text += fmt::format("\n{:{}}- {}", "", indent_ * 2 + 2, quoted_json(item));
  }
}

void StructuredWriter::buffers(const BufferUsage& usage) {
  auto count = [&](std::string_view label, int64_t n) {
    value(label, fmt::format("{}", n), Property::Kind::kNumber);
  };
  count("Shared Hit Blocks", usage.hit);
  count("Shared Read Blocks", usage.read);
  count("Shared Dirtied Blocks", usage.dirtied);
  count("Shared Written Blocks", usage.written);
  // There are no local buffers, and no node has pages of its own in files.
  for (std::string_view label :
       {"Local Hit Blocks", "Local Read Blocks", "Local Dirtied Blocks", "Local Written Blocks",
        "Temp Read Blocks", "Temp Written Blocks"}) {
    count(label, 0);
  }
}

void StructuredWriter::figures(const ExplainNode& node) {
  if (options_.costs) {
    const PlanEstimate& e = node.estimate;
    number("Startup Cost", e.startup, 2);
    number("Total Cost", e.total, 2);
    number("Plan Rows", e.rows, 0);
    number("Plan Width", e.width, 0);
  }
  if (!options_.analyze || node.measured == nullptr) return;
  const Measurement none;
  const Measurement* m = node.measured->measurement;
  if (m == nullptr) m = &none;
  double loops = std::max(m->loops, 1.0);
  if (options_.timing) {
    number("Actual Startup Time", m->startup_ms / loops, 3);
    number("Actual Total Time", m->total_ms / loops, 3);
  }
  number("Actual Rows", m->rows / loops, 0);
  number("Actual Loops", m->loops, 0);
}

void StructuredWriter::plan(const ExplainNode& node, bool is_root) {
  open(is_root ? "Plan" : "", '{');
  value("Node Type", node.type, Property::Kind::kText);
  for (const Property& p : node.kinds) property(p);
  if (!is_root) value("Parent Relationship", node.relationship, Property::Kind::kText);
  if (!node.sub_plan.empty()) value("Subplan Name", node.sub_plan, Property::Kind::kText);
  value("Parallel Aware", "false", Property::Kind::kBool);
  value("Async Capable", "false", Property::Kind::kBool);
  for (const Property& p : node.heads) property(p);
  figures(node);
  if (options_.verbose && !node.output.empty()) {
    property({"Output", Property::Kind::kList, Property::Where::kEverywhere, {}, node.output});
  }
  for (const Property& p : node.properties) property(p);
  if (options_.buffers && node.measured != nullptr && node.measured->measurement != nullptr) {
    buffers(node.measured->measurement->buffers);
  }
  if (!node.init_plans.empty() || !node.children.empty() || !node.sub_plans.empty()) {
    open("Plans", '[');
    with_stack([&] {
      for (const auto& child : node.init_plans) plan(*child, false);
      for (const auto& child : node.children) plan(*child, false);
      for (const auto& child : node.sub_plans) plan(*child, false);
    });
    close(']');
  }
  close('}');
}

}  // namespace

std::string write_structured(const ExplainNode& plan, const ExplainOptions& options,
                             const ExplainSummary& summary) {
  StructuredWriter out(options);
  if (options.format == ExplainFormat::kJson) out.text = "[";
  out.open("", '{');
  out.plan(plan, true);
  if (options.buffers) {
    out.open("Planning", '{');
    out.buffers(summary.planning_buffers);
    out.close('}');
  }
  if (options.summary) out.number("Planning Time", summary.planning_ms, 3);
  if (options.analyze) {
    // Foreign keys are checked by the statement itself: no trigger has run.
    out.open("Triggers", '[');
    out.close(']');
  }
  if (options.summary && summary.execution_ms >= 0) {
    out.number("Execution Time", summary.execution_ms, 3);
  }
  out.close('}');
  if (options.format == ExplainFormat::kJson) out.text += "\n]";
  return std::move(out.text);
}

std::vector<std::string> write_explained(const ExplainNode& plan, const ExplainOptions& options,
                                         const ExplainSummary& summary) {
  if (options.format != ExplainFormat::kText) return {write_structured(plan, options, summary)};
  TextWriter out(options);
  out.node(plan, 0, false);
  if (options.buffers) {
    std::string text = buffers_as_text(summary.planning_buffers);
    if (!text.empty()) {
      out.lines.emplace_back("Planning:");
      out.lines.push_back("  Buffers: " + text);
    }
  }
  if (options.summary) {
    out.lines.push_back(fmt::format("Planning Time: {:.3f} ms", summary.planning_ms));
    if (summary.execution_ms >= 0) {
      out.lines.push_back(fmt::format("Execution Time: {:.3f} ms", summary.execution_ms));
    }
  }
  return std::move(out.lines);
}

}  // namespace cofork
