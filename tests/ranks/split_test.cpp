// Every reference model split over ranks, in exact arithmetic, against logits and greedy tokens of Transformers: any
// number of ranks, also more than heads, ranks of unequal weight, and whatever users may ask of linears. Nothing of it
// may change the result.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <random>

#include "../fixtures/all_fixtures.h"
#include "app/verify/cases.h"
#include "app/verify/feed.h"
#include "comm/communicator.h"
#include "engine/ranks_step_model.h"
#include "graph/rows.h"
#include "inference/opened.h"
#include "inference/split.h"
#include "plan/explain.h"

namespace cleave {
namespace {

namespace fs = std::filesystem;

class SplitFixture : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const fs::path path = fs::path(CLEAVE_TEST_DATA) / GetParam();
    opened_ = std::make_unique<inference::OpenedModel>(inference::open({.path = path}));
    const bool gguf = path.extension() == ".gguf";
    const bool encoder = opened_->is_encoder();
    cases_ = app::read_cases(
        gguf ? fs::path(path).replace_extension(".safetensors") : path / "expected.safetensors",
        {opened_->vocab_size(), opened_->output_width(), encoder ? "hidden" : "logits", opened_->is_encoder_decoder()});
  }

  plan::PlanOptions request(std::vector<double> weights, plan::Policy policy) const {
    plan::PlanOptions request;
    request.rank_weights = std::move(weights);
    request.policy = policy;
    request.stored = inference::stored_types(opened_->graph, opened_->tensors);
    return request;
  }

  // Loads and feeds the model; the input in chunks of 5 where it need not be there as a whole, then the greedy tokens
  // one by one.
  void check(const plan::PlanOptions& request, const std::string& what) {
    const plan::Plan plan = plan::make_plan(opened_->graph, request);
    runtime::Options options;
    options.numerics.exact = true;
    options.sizes.kv_tokens = 512;
    options.sizes.max_tokens = options.sizes.max_output_rows = 64;
    runtime::RankGroup group({comm::thread_communicators(plan.ranks), 1});
    runtime::SplitModel split(group, {&opened_->graph, &plan, options, &opened_->checkpoint});
    check_weights(plan, request, split, what);
    engine::RanksStepModel model(split);
    std::vector<app::Track> tracks;
    for (const app::VerifyCase& c : cases_) {
      const auto length = static_cast<int64_t>(c.input_ids.size());
      tracks.push_back(
          {.reference = &c, .chunk = opened_->is_encoder() && graph::attends_to_later(opened_->graph) ? length : 5});
    }
    app::feed(model, tracks, [&](const runtime::StepInput& input) { split.step(input, opened_->encode_program()); });
    for (const app::Track& track : tracks) {
      EXPECT_LE(track.relative_error(), 1e-4) << what;
      EXPECT_EQ(track.greedy_equal, static_cast<int64_t>(track.reference->greedy.size())) << what;
    }
  }

  // Every rank has read what the plan says, and nothing else.
  void check_weights(const plan::Plan& plan, const plan::PlanOptions& request, const runtime::SplitModel& model,
                     const std::string& what) const {
    const plan::Explanation planned = plan::explain(opened_->graph, plan, request);
    for (size_t r = 0; r < model.reports().size(); ++r)
      EXPECT_EQ(model.reports()[r].memory.stored, planned.weight_bytes[r]) << what << ", rank " << r;
  }

  std::unique_ptr<inference::OpenedModel> opened_;
  std::vector<app::VerifyCase> cases_;
};

TEST_P(SplitFixture, GivesTheSameAnswerOnAnyNumberOfRanks) {
  for (const plan::Policy policy : {plan::Policy::Split, plan::Policy::Auto})
    for (const size_t ranks : {1, 2, 3, 4, 5, 8})
      check(request(std::vector<double>(ranks, 1.0), policy),
            fmt::format("{} ranks, policy {}", ranks, policy == plan::Policy::Split ? "split" : "auto"));
}

TEST_P(SplitFixture, GivesTheSameAnswerOnUnequalRanks) {
  check(request({3, 2, 1}, plan::Policy::Split), "weights 3,2,1");
  check(request({1, 4}, plan::Policy::Split), "weights 1,4");
  check(request({1, 1, 5, 0.5, 1}, plan::Policy::Split), "weights 1,1,5,0.5,1");
}

TEST_P(SplitFixture, GivesTheSameAnswerUnderAnyOverrides) {
  const plan::Plan plain = plan::make_plan(opened_->graph, request({1, 1}, plan::Policy::Split));
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    plan::PlanOptions overridden = request(std::vector<double>(std::array{2, 3, 4, 5, 8}[seed % 5], 1.0),
                                           seed % 4 == 3 ? plan::Policy::Auto : plan::Policy::Split);
    std::string what = fmt::format("seed {}, {} ranks:", seed, overridden.rank_weights.size());
    for (const plan::Module& module : plain.modules) {
      if (random() % 3 != 0) continue;
      const bool experts = module.info.kind == plan::ModuleInfo::Kind::Experts;
      plan::Override override;
      override.pattern = module.info.name;
      override.treatment = static_cast<plan::Treatment>(random() % (experts ? 5 : 3));
      override.origin.where = "test";
      what += fmt::format(" {} {};", override.pattern, plan::to_string(override.treatment));
      overridden.overrides.push_back(override);
    }
    check(overridden, what);
    if (HasFailure()) return;  // one set of overrides is enough to look at
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, SplitFixture, testing::ValuesIn(all_fixtures()), fixture_test_name);
INSTANTIATE_TEST_SUITE_P(Encoders, SplitFixture, testing::ValuesIn(encoder_fixtures()), fixture_test_name);
INSTANTIATE_TEST_SUITE_P(EncoderDecoders, SplitFixture, testing::ValuesIn(encoder_decoder_fixtures()),
                         fixture_test_name);

}  // namespace
}  // namespace cleave
