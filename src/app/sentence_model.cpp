#include "app/sentence_model.h"

#include "app/terminal/terminal.h"
#include "ckpt/model_path.h"

namespace cleave::app {

inference::SentenceModules read_sentence_model(ModelFlags& flags) {
  const std::filesystem::path directory = ckpt::model_directory(flags.model.path);
  inference::SentenceModules modules = inference::read_sentence_modules(directory);
  if (inference::has_sentence_modules(directory))
    flags.model.path = modules.transformer;
  else
    note("cleave: note: there is no modules.json beside the model; a text's vector is the mean of its tokens'");
  return modules;
}

}  // namespace cleave::app
