#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "load/report/report.h"

namespace cleave::load {
namespace {

// A panel in pixels: its place on the page, and the space around the curve.
constexpr double kWidth = 460, kHeight = 260, kLeft = 52, kRight = 44, kTop = 34, kBottom = 34, kHead = 40;
constexpr size_t kMostPoints = 300;
constexpr size_t kBins = 120;
constexpr const char* kBlue = "#1f6fb4";
constexpr const char* kOrange = "#c75a00";

struct Point {
  double x, y;
};

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '<' || c == '&')
      result += c == '<' ? "&lt;" : "&amp;";
    else
      result += c >= ' ' && c < '\x7f' ? c : ' ';
  }
  return result;
}

std::string label(double x, double y, const std::string& text, const char* anchor = "middle",
                  const char* colour = "#333") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" fill=\"{}\">{}</text>\n", x, y, anchor, colour,
                     escaped(text));
}

std::string line(double x1, double y1, double x2, double y2) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#ddd\"/>\n", x1, y1, x2,
                     y2);
}

/// A coordinate system of one panel, with what is drawn in it. Values of x and y between 0 and 1 are its borders.
class Panel {
 public:
  Panel(int column, int row, const std::string& title) : left_(column * kWidth), top_(kHead + row * kHeight) {
    svg_ = label(left_ + kLeft, top_ + kTop - 12, title, "start", "#000");
  }
  double x(double share) const { return left_ + kLeft + share * (kWidth - kLeft - kRight); }
  double y(double share) const { return top_ + kHeight - kBottom - share * (kHeight - kTop - kBottom); }

  void mark_x(double share, const std::string& text) {
    svg_ += line(x(share), y(0), x(share), y(1)) + label(x(share), y(0) + 16, text);
  }
  void mark_y(double share, const std::string& text, bool right = false, const char* colour = "#333") {
    svg_ += line(x(0), y(share), x(1), y(share)) +
            label(right ? x(1) + 6 : x(0) - 6, y(share) + 4, text, right ? "start" : "end", colour);
  }
  void curve(const std::vector<Point>& points, const char* colour) {
    svg_ += fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\" points=\"", colour);
    for (const Point& point : points) svg_ += fmt::format("{:.1f},{:.1f} ", x(point.x), y(point.y));
    svg_ += "\"/>\n";
  }
  const std::string& svg() const { return svg_; }

 private:
  double left_, top_;
  std::string svg_;
};

// How many per cent of all values (seconds) are at most so large, over a logarithmic axis.
std::string distribution_panel(int column, int row, const std::string& title, std::vector<double> values) {
  Panel panel(column, row, title);
  if (values.empty()) return panel.svg();
  std::ranges::sort(values);
  constexpr double kLeast = 1e-4;  // a tenth of a millisecond
  const double low = std::floor(std::log10(std::max(values.front(), kLeast)));
  const double high = std::max(low + 1, std::ceil(std::log10(std::max(values.back(), kLeast))));
  for (double power = low; power <= high; ++power) {
    const double milliseconds = std::pow(10, power + 3);
    panel.mark_x((power - low) / (high - low), fmt::format("{:g} ms", milliseconds));
  }
  for (const int percent : {0, 50, 90, 100}) panel.mark_y(percent / 100.0, fmt::format("{}%", percent));
  std::vector<Point> points;
  const size_t step = std::max<size_t>(1, values.size() / kMostPoints);
  for (size_t i = 0; i < values.size(); i += step) {
    const double share = (std::log10(std::max(values[i], kLeast)) - low) / (high - low);
    points.push_back({share, static_cast<double>(i + 1) / static_cast<double>(values.size())});
  }
  points.push_back({(std::log10(std::max(values.back(), kLeast)) - low) / (high - low), 1});
  panel.curve(points, kBlue);
  return panel.svg();
}

/// Values over the time of a run.
struct Course {
  double begin, width;  // seconds; of one bin
  std::vector<double> tokens = std::vector<double>(kBins), open = std::vector<double>(kBins);

  size_t bin(double time) const {
    return static_cast<size_t>(std::clamp((time - begin) / width, 0.0, static_cast<double>(kBins - 1)));
  }
};

void add_to(Course& course, const Result& result) {
  for (size_t i = course.bin(result.sent); i <= course.bin(result.end); ++i) {
    const double bin_begin = course.begin + static_cast<double>(i) * course.width;
    course.open[i] +=
        std::max(0.0, std::min(result.end, bin_begin + course.width) - std::max(result.sent, bin_begin)) / course.width;
  }
  if (!result.first) return;
  const double tokens =
      static_cast<double>(result.answer_tokens) / static_cast<double>(result.gaps.size() + 1) / course.width;
  double time = *result.first;
  course.tokens[course.bin(time)] += tokens;
  for (const float gap : result.gaps) course.tokens[course.bin(time += static_cast<double>(gap))] += tokens;
}

std::vector<Point> curve_of(const std::vector<double>& values, double most) {
  std::vector<Point> points;
  for (size_t i = 0; i < values.size(); ++i)
    points.push_back({(static_cast<double>(i) + 0.5) / static_cast<double>(kBins), values[i] / most});
  return points;
}

std::string course_panel(int column, int row, std::span<const Result> results, const Summary& summary) {
  Panel panel(column, row, "tokens of answers in a second (blue), requests under way (orange)");
  if (results.empty() || summary.seconds <= 0) return panel.svg();
  Course course{.begin = std::ranges::min(results, {}, &Result::begin).begin, .width = summary.seconds / kBins};
  for (const Result& result : results) add_to(course, result);
  const double most_tokens = std::max(1.0, *std::ranges::max_element(course.tokens));
  const double most_open = std::max(1.0, *std::ranges::max_element(course.open));
  for (const double share : {0.0, 0.5, 1.0}) {
    panel.mark_x(share, fmt::format("{:.1f} s", share * summary.seconds));
    panel.mark_y(share, fmt::format("{:.0f}", share * most_tokens), false, kBlue);
    panel.mark_y(share, fmt::format("{:.0f}", share * most_open), true, kOrange);
  }
  panel.curve(curve_of(course.open, most_open), kOrange);
  panel.curve(curve_of(course.tokens, most_tokens), kBlue);
  return panel.svg();
}

}  // namespace

std::string svg_of(const std::string& title, std::span<const Result> results, const Summary& summary) {
  std::vector<double> first, gaps, whole;
  for (const Result& result : results) {
    if (!result.good()) continue;
    if (result.first) first.push_back(*result.first - result.begin);
    gaps.insert(gaps.end(), result.gaps.begin(), result.gaps.end());
    whole.push_back(result.end - result.begin);
  }
  const double width = 2 * kWidth, height = kHead + 2 * kHeight;
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
             "viewBox=\"0 0 {0:.0f} {1:.0f}\" font-family=\"sans-serif\" font-size=\"12\">\n"
             "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
             width, height) +
         label(kLeft, 24, title, "start", "#000") +
         distribution_panel(0, 0, "time to the first text", std::move(first)) +
         distribution_panel(1, 0, "time between pieces of text", std::move(gaps)) +
         distribution_panel(0, 1, "time of a whole answer", std::move(whole)) + course_panel(1, 1, results, summary) +
         "</svg>\n";
}

}  // namespace cleave::load
