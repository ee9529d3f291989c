#include "caret.hpp"

#include <algorithm>
#include <vector>

#include "limits.hpp"

namespace springald {

namespace {

std::string_view line_of(std::string_view text, std::uint32_t& number) {
  std::uint32_t at = 1;
  const std::uint32_t wanted = std::max(number, 1U);
  for (auto end = text.find('\n'); at < wanted && end != text.npos; end = text.find('\n'), ++at) {
    text.remove_prefix(end + 1);
  }
  number = at;
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

/// Where each character of UTF-8 text begins, and the text's end.
std::vector<std::size_t> character_starts(std::string_view text) {
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool continues = (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
    if (!continues) starts.push_back(at);
  }
  starts.push_back(text.size());
  return starts;
}

}  // namespace

std::string point_at(std::string_view text, Position position) {
  const std::string_view line = line_of(text, position.line);
  const auto starts = character_starts(line);
  const std::size_t last = starts.size() - 1;
  const std::size_t at = std::clamp<std::size_t>(position.column, 1, last + 1) - 1;
  constexpr std::size_t kHalf = limits::kCaretCharactersMax / 2;
  const std::size_t from = at > kHalf ? at - kHalf : 0;
  const std::size_t to = std::min(at + kHalf, last);

  const std::string head = "line " + std::to_string(position.line) + ": " + (from > 0 ? "..." : "");
  std::string shown = head + std::string(line.substr(starts[from], starts[to] - starts[from])) +
                      (to < last ? "..." : "") + "\n" + std::string(head.size(), ' ');
  // Tabs are kept, so that the caret stands right however wide they are drawn.
  for (auto number = from; number < at; ++number) {
    shown += line[starts[number]] == '\t' ? '\t' : ' ';
  }
  return shown + "^";
}

void add_caret(error::v1::Error& told, std::string_view text) {
  if (!told.has_position() || text.empty()) return;
  const auto caret = point_at(text, {told.position().line(), told.position().column()});
  if (told.message().find(caret) == std::string::npos) {
    told.set_message(told.message() + "\n" + caret);
  }
}

}  // namespace springald
