#include "text/normalizer.h"

#include <optional>
#include <vector>

#include "base/error.h"
#include "text/shown_text.h"
#include "text/unicode_form.h"

namespace cleave::text {
namespace {

class UnicodeNormalizer final : public Normalizer {
 public:
  explicit UnicodeNormalizer(UnicodeForm form) : form_(form) {}
  std::string apply(std::string_view text) const override { return to_unicode_form(text, form_); }

 private:
  UnicodeForm form_;
};

class NormalizerSequence final : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}
  std::string apply(std::string_view text) const override {
    std::string normal(text);
    for (const auto& step : steps_) normal = step->apply(normal);
    return normal;
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

std::optional<UnicodeForm> unicode_form(const std::string& type) {
  if (type == "NFC") return UnicodeForm::Nfc;
  if (type == "NFD") return UnicodeForm::Nfd;
  if (type == "NFKC") return UnicodeForm::Nfkc;
  if (type == "NFKD") return UnicodeForm::Nfkd;
  return std::nullopt;
}

}  // namespace

std::unique_ptr<Normalizer> read_normalizer(const JsonField& field) {
  const std::string& type = field.at("type").string();
  if (const std::optional<UnicodeForm> form = unicode_form(type)) return std::make_unique<UnicodeNormalizer>(*form);
  if (type != "Sequence")
    fail(ErrorKind::Unsupported, "{}: a normalizer of type {} is not read; NFC, NFD, NFKC, NFKD and Sequence are",
         field.path(), shown_text(type));
  std::vector<std::unique_ptr<Normalizer>> steps;
  const JsonField list = field.at("normalizers");
  for (size_t i = 0; i < list.array().size(); ++i) steps.push_back(read_normalizer(list.at(i)));
  return std::make_unique<NormalizerSequence>(std::move(steps));
}

}  // namespace cleave::text
